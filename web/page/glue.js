// The page of one recording.
(async () => {
  const root = document.documentElement;
  const at = id => document.getElementById(id);
  const LANGS = ['en', 'zh-Hans'], THEMES = ['dark', 'light', 'contrast'];

  const unpack = id => {
    const bytes = unpacked(at(id).textContent);
    at(id).remove();
    return bytes;
  };
  const fail = why => {
    at('screen').hidden = true;
    at('keys').hidden = true;
    at('failed').hidden = false;
    at('why').textContent = String(why);
  };

  let ready;
  try {
    ready = await started(unpack('program'));
  } catch (e) {
    return fail(e);
  }
  const screen = player(ready, {
    free: true,
    looks: (lang, theme) => {
      root.lang = LANGS[lang];
      root.dataset.theme = THEMES[theme];
    },
    fail,
  });
  const lang = root.lang.startsWith('zh') ? 1 : 0;
  const light = matchMedia('(prefers-color-scheme: light)').matches ? 1 : 0;
  ready.give(unpack('recording'));
  screen.open((columns, rows) => ready.program.open(lang, light, columns, rows));
})();

// The page of one recording.
(async () => {
  const root = document.documentElement;
  const at = id => document.getElementById(id);
  const LANGS = ['en', 'zh-Hans'], THEMES = ['dark', 'light', 'contrast'];

  const taken = id => {
    const text = at(id).textContent;
    at(id).remove();
    return text;
  };
  const fail = why => {
    at('screen').hidden = true;
    at('keys').hidden = true;
    at('failed').hidden = false;
    at('why').textContent = String(why);
  };

  let ready;
  try {
    ready = await started(taken('program'));
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
  ready.give(unpacked(taken('recording')));
  screen.open((columns, rows) => ready.program.open(lang, light, columns, rows));
})();

'use strict';
// The course's menu and the pages of its labs. Answers are judged, and texts made, by the program; here is only
// what is kept of a learner, in this browser, and what is shown when.
(async () => {
  const root = document.documentElement, body = document.body;
  const at = id => document.getElementById(id);
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const LANGS = ['en', 'zh-Hans'], THEMES = ['dark', 'light', 'contrast'];
  const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/, MANY = 1000, LONG = 200;

  // What is kept. From a file, or from an older page, it may be anything.
  const number = (n, most) => (Number.isInteger(n) && n >= 0 && n <= most ? n : 0);
  const checked = value => {
    const state = { student: '', labs: Object.create(null) };
    if (typeof value?.student === 'string') state.student = value.student.slice(0, 64);
    for (const [id, lab] of Object.entries(value?.labs ?? {}).slice(0, MANY)) {
      if (!NAME.test(id) || typeof lab !== 'object' || !lab) continue;
      const answers = Object.create(null);
      for (const [question, text] of Object.entries(lab.answers ?? {}).slice(0, MANY)) {
        if (typeof text === 'string' && text.trim()) answers[question] = text.slice(0, LONG);
      }
      state.labs[id] = { step: number(lab.step, 4), hints: number(lab.hints, MANY), answers };
    }
    return state;
  };
  let memory = {}, kept = true;
  const get = key => {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? {};
    } catch {
      return memory[key] ?? {};
    }
  };
  const set = (key, value) => {
    memory[key] = value;
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      kept = false;
    }
  };
  const STATE = 'bytehop-course', LOOK = 'bytehop-look';
  const read = () => checked(get(STATE));
  const change = job => {
    const state = read();
    job(state);
    set(STATE, state);
  };

  // Colours and language.
  const looked = get(LOOK);
  if (THEMES.includes(looked.theme)) root.dataset.theme = looked.theme;
  const theme = () => {
    const light = matchMedia('(prefers-color-scheme: light)').matches ? 1 : 0;
    return root.dataset.theme ? THEMES.indexOf(root.dataset.theme) : light;
  };
  let shown = () => {};
  const wear = n => {
    if (root.dataset.theme === THEMES[n]) return;
    root.dataset.theme = THEMES[n];
    set(LOOK, { ...get(LOOK), theme: THEMES[n] });
  };
  at('theme').addEventListener('click', () => {
    wear((theme() + 1) % THEMES.length);
    shown();
  });

  const menu = () => {
    const said = what => {
      for (const text of all('[data-said]')) text.hidden = text.dataset.said !== what;
    };
    const speak = lang => {
      root.lang = lang;
      set(LOOK, { ...get(LOOK), lang });
    };
    const wanted = navigator.language.slice(0, 2);
    const first = LANGS.find(lang => lang.startsWith(wanted));
    root.lang = LANGS.includes(looked.lang) ? looked.lang : first ?? root.lang;
    at('language').addEventListener('click', () => speak(LANGS[1 - LANGS.indexOf(root.lang)]));
    const mark = () => {
      const state = read();
      at('student').value = state.student;
      at('not-kept').hidden = kept;
      for (const item of all('[data-lab]')) {
        const lab = state.labs[item.dataset.lab] ?? { step: 0, answers: {} };
        const begun = lab.step > 0 || Object.keys(lab.answers).length > 0;
        const now = lab.step === 4 ? 'done' : begun ? 'some' : 'none';
        for (const text of all('[data-state]', item)) text.hidden = text.dataset.state !== now;
        item.dataset.now = now;
      }
    };
    at('student').addEventListener('change', () => {
      change(state => { state.student = at('student').value.trim(); });
    });
    at('save').addEventListener('click', () => {
      change(state => { state.student = at('student').value.trim(); });
      const state = read();
      const text = JSON.stringify({ bytehop_course: 1, ...state }, null, 1);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
      const name = state.student.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '');
      link.download = `${name || 'bytehop'}.course.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      said('saved');
    });
    at('load').addEventListener('change', async event => {
      try {
        const file = event.target.files[0];
        if (file.size > 1 << 20) throw new Error('too large');
        const value = JSON.parse(await file.text());
        if (value?.bytehop_course !== 1) throw new Error('another file');
        const state = checked(value);
        change(mine => {
          mine.student = state.student || mine.student;
          Object.assign(mine.labs, state.labs);
        });
        said('loaded');
      } catch {
        said('refused');
      }
      event.target.value = '';
      mark();
    });
    at('forget').addEventListener('click', () => {
      const sure = all('[data-said=sure] > span').find(text => text.lang === root.lang);
      if (!confirm(sure.textContent)) return;
      set(STATE, {});
      said('forgotten');
      mark();
    });
    set(LOOK, get(LOOK));
    mark();
    // Back from a lab, or changed in another window.
    addEventListener('pageshow', mark);
    addEventListener('storage', mark);
  };

  const lab = async () => {
    const id = body.dataset.lab, lang = LANGS.indexOf(root.lang), steps = all('section.step');
    const questions = all('.question'), links = all('[data-to]');
    set(LOOK, { ...get(LOOK), lang: root.lang });
    const mine = () => read().labs[id] ?? { step: 0, hints: 0, answers: {} };
    const note = job => change(state => {
      state.labs[id] ??= { step: 0, hints: 0, answers: {} };
      job(state.labs[id]);
    });

    const fail = why => {
      at('screen').hidden = true;
      at('keys').hidden = true;
      at('failed').hidden = false;
      at('why').textContent = String(why);
      at('main').prepend(at('failed'));
    };
    let ready;
    try {
      ready = await started(globalThis.bytehopProgram);
      ready.give(unpacked(globalThis.bytehopLab));
      if (ready.program.lab_open(lang)) throw new Error(ready.take());
    } catch (e) {
      return fail(e);
    }
    delete globalThis.bytehopProgram;
    delete globalThis.bytehopLab;
    const { program, give, take } = ready;
    // A line about it, and the rest.
    const told = () => {
      const text = take(), end = text.indexOf('\n');
      return [text.slice(0, end), text.slice(end + 1)];
    };

    const screen = player(ready, {
      free: false,
      looks: (speaks, wears) => {
        wear(wears);
        if (speaks !== lang) location.href = at('language').href;
      },
      fail,
    });
    shown = () => screen.look(lang, theme());
    const run = which => {
      for (const button of all('[data-run]')) button.setAttribute('aria-pressed', button.dataset.run === which);
      for (const text of all('[data-of-run]')) text.hidden = text.dataset.ofRun !== which;
      screen.open((columns, rows) => program.lab_show(Number(which), lang, theme(), columns, rows));
    };
    for (const button of all('[data-run]')) button.addEventListener('click', () => run(button.dataset.run));

    const explain = () => {
      program.lab_explain();
      const [line, html] = told();
      at('explained').innerHTML = html;
      at('told').textContent = line;
    };
    // Shows all steps up to one.
    let reached = 0;
    const reveal = (step, go) => {
      const first = reached === 0 && step > 0;
      reached = Math.max(reached, step);
      steps.forEach((section, n) => {
        section.hidden = n > reached;
        for (const button of all('[data-go]', section)) button.parentElement.hidden = n < reached;
        if (n <= reached) links[n].href = `#${section.id}`;
      });
      if (first) {
        for (const input of all('#questions input')) {
          input.disabled = input.type === 'radio' && !input.checked;
          input.readOnly = true;
        }
        at('questions').querySelector('.go').hidden = true;
        run('0');
        explain();
      }
      at('again').hidden = reached === 0;
      if (go) {
        note(state => { state.step = Math.max(state.step, reached); });
        const heading = steps[step].querySelector('h2');
        heading.focus({ preventScroll: true });
        heading.scrollIntoView();
      }
    };
    for (const button of all('[data-go]')) {
      button.addEventListener('click', () => reveal(Number(button.dataset.go), true));
    }

    const typed = question => {
      const chosen = question.querySelector('input:checked');
      return chosen ? chosen.value : question.querySelector('input:not([type=radio])')?.value ?? '';
    };
    // What is wrong with an answer, if anything is.
    const judge = (question, n) => {
      give(typed(question));
      const why = program.lab_answer(n) ? take() : '';
      question.querySelector('.error').textContent = why;
      question.querySelector('input:not([type=radio])')?.setAttribute('aria-invalid', why !== '');
      return why;
    };
    const keep = () => note(state => {
      for (const question of questions) {
        const text = typed(question).trim();
        if (text) state.answers[question.dataset.question] = text;
        else delete state.answers[question.dataset.question];
      }
    });
    at('questions').addEventListener('change', event => {
      const question = event.target.closest('.question');
      judge(question, questions.indexOf(question));
      keep();
    });
    at('questions').addEventListener('submit', event => {
      event.preventDefault();
      const wrong = questions.filter((question, n) => judge(question, n) !== '');
      if (wrong.length) return wrong[0].querySelector('input').focus();
      keep();
      reveal(1, true);
    });

    const hint = () => {
      program.lab_hint();
      const [line, html] = told();
      const [n, of] = line.split(' ').map(Number);
      if (n > at('hints').children.length || of === 0) {
        const item = document.createElement('li');
        item.innerHTML = html;
        at('hints').append(item);
      }
      at('hint-button').hidden = n >= of;
      return n;
    };
    at('hint-button').addEventListener('click', () => {
      const n = hint();
      note(state => { state.hints = n; });
    });
    at('show-solution').addEventListener('click', event => {
      program.lab_solution();
      at('solution').innerHTML = take();
      event.target.hidden = true;
      const step = at('step-solution');
      if (!step) return;
      step.hidden = false;
      all('[data-run]').at(-1).hidden = false;
    });
    at('step-solution')?.addEventListener('click', () => {
      run(body.dataset.programs);
      at('screen').focus({ preventScroll: true });
      at('runs').scrollIntoView();
    });
    at('again').addEventListener('click', () => {
      if (!confirm(at('sure').textContent)) return;
      change(state => { delete state.labs[id]; });
      location.replace(location.pathname);
    });

    // As it was left.
    const before = mine();
    questions.forEach((question, n) => {
      const text = before.answers[question.dataset.question] ?? '';
      for (const input of all('input', question)) {
        if (input.type === 'radio') input.checked = input.value === text;
        else input.value = text;
      }
      if (text) judge(question, n);
    });
    for (let n = 0; n < before.hints && !at('hint-button').hidden; n++) hint();
    reveal(before.step, false);
    body.dataset.ready = 'yes';
  };

  await ('menu' in body.dataset ? menu() : lab());
})();

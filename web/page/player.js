'use strict';
// The screen: keys, clicks and touches in; rows of the picture out. What they mean is decided in the program.
const unpacked = text => {
  // Newer browsers do it themselves, many times as fast.
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
};

// The program, in base64 of gzip, and the two buffers through which texts and bytes go.
const started = async text => {
  const code = new Blob([unpacked(text)]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = await new Response(code).arrayBuffer();
  const program = (await WebAssembly.instantiate(bytes, {})).instance.exports;
  const decoder = new TextDecoder(), encoder = new TextEncoder();
  const give = what => {
    const bytes = typeof what === 'string' ? encoder.encode(what) : what;
    const place = program.input(bytes.length);
    new Uint8Array(program.memory.buffer, place, bytes.length).set(bytes);
  };
  const take = () =>
    decoder.decode(new Uint8Array(program.memory.buffer, program.output(), program.output_len()));
  return { program, give, take };
};

// `free`: keys that nothing else on the page takes are the screen's. `looks`: told of the language and the
// theme that are drawn.
const player = ({ program, give, take }, { free, looks, fail }) => {
  const at = id => document.getElementById(id);
  const box = at('screen'), picture = at('picture'), rows = at('rows');
  const [CELL_W, CELL_H, MARGIN] = picture.dataset.cell.split(' ').map(Number);

  // As many cells as are readable, and never fewer than the screens need.
  const measure = () => {
    const width = box.clientWidth, height = innerHeight * 0.82;
    const columns = Math.max(60, Math.min(220, Math.floor((width - 2 * MARGIN) / CELL_W)));
    const scale = Math.min(1, width / (columns * CELL_W + 2 * MARGIN));
    const rows = Math.floor((height / scale - 2 * MARGIN) / CELL_H);
    return [columns, Math.max(24, Math.min(60, rows))];
  };

  let size = [0, 0], elements = [], wanted = false, moving = false, reading = true, opened = 0;
  const shape = () => {
    const w = size[0] * CELL_W + 2 * MARGIN, h = size[1] * CELL_H + 2 * MARGIN;
    picture.setAttribute('viewBox', `0 0 ${w} ${h}`);
    picture.style.maxWidth = `${w}px`;
    while (elements.length < size[1]) {
      const row = document.createElementNS('http://www.w3.org/2000/svg', 'g');
      rows.append(row);
      elements.push(row);
    }
    while (elements.length > size[1]) elements.pop().remove();
  };

  const draw = () => {
    wanted = false;
    program.draw();
    const [state, ...lines] = take().split('\n');
    const [lang, theme, moves] = state.split(' ').map(Number);
    looks(lang, theme);
    for (const line of lines) {
      const space = line.indexOf(' ');
      const row = space > 0 && elements[Number(line.slice(0, space))];
      if (row) row.innerHTML = line.slice(space + 1);
    }
    const starts = moves && !moving;
    moving = !!moves;
    if (starts) setTimeout(tick, 33);
    if (moving || reading) {
      delete box.dataset.text;
    } else {
      program.text();
      const text = take(), end = text.indexOf('\n');
      box.dataset.cells = text.slice(0, end);
      box.dataset.size = size.join('x');
      box.dataset.text = text.slice(end + 1);
    }
  };
  const guarded = job => (...args) => {
    try {
      return job(...args);
    } catch (e) {
      fail(e);
      throw e;
    }
  };
  const later = () => {
    if (!wanted) {
      wanted = true;
      requestAnimationFrame(guarded(draw));
    }
  };
  const tick = guarded(() => {
    if (!moving) return;
    program.tick();
    later();
    setTimeout(tick, 33);
  });

  const key = guarded((name, shift) => {
    give(name);
    const known = program.key(shift ? 1 : 0);
    if (known) later();
    return known;
  });
  const pointer = guarded((what, event) => {
    const area = picture.getBoundingClientRect();
    const scale = (size[0] * CELL_W + 2 * MARGIN) / area.width;
    const cell = (n, side, most) => Math.max(0, Math.min(most - 1, Math.floor((n * scale - MARGIN) / side)));
    program.pointer(what, cell(event.clientX - area.left, CELL_W, size[0]),
      cell(event.clientY - area.top, CELL_H, size[1]));
    later();
  });

  // Beside the screen, keys that scroll or leave stay the page's own; any other goes to the screen, and
  // the next ones with it.
  const OWN = ['Tab', ' ', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
  addEventListener('keydown', event => {
    const here = box.contains(document.activeElement);
    const nobody = free && document.activeElement === document.body && !OWN.includes(event.key);
    const ours = (here || nobody) && !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing;
    // Shift+Tab leaves the screen.
    if (ours && !(event.key === 'Tab' && event.shiftKey) && key(event.key, event.shiftKey)) {
      event.preventDefault();
      box.focus({ preventScroll: true });
    }
  });
  for (const button of document.querySelectorAll('[data-key]')) {
    button.addEventListener('click', () => key(button.dataset.key, false));
  }

  // A tap is a click; a swipe across steps.
  let down = null;
  box.addEventListener('pointerdown', event => {
    if (event.button) return;
    down = { x: event.clientX, y: event.clientY, touch: event.pointerType !== 'mouse' };
    if (!down.touch) pointer(0, event);
  });
  box.addEventListener('pointermove', event => {
    if (down && !down.touch && event.buttons & 1) pointer(1, event);
  });
  box.addEventListener('pointerup', event => {
    if (down && down.touch) {
      const dx = event.clientX - down.x, dy = event.clientY - down.y;
      if (Math.abs(dx) > 40 && Math.abs(dx) > 2 * Math.abs(dy)) key(dx < 0 ? 'n' : 'p', false);
      else if (Math.hypot(dx, dy) < 12) pointer(0, event);
    }
    down = null;
  });
  box.addEventListener('pointercancel', () => { down = null; });
  // The wheel scrolls the page until the screen was clicked at.
  box.addEventListener('wheel', event => {
    if (document.activeElement !== box || event.ctrlKey || !event.deltaY) return;
    event.preventDefault();
    pointer(event.deltaY < 0 ? 2 : 3, event);
  }, { passive: false });

  const reduced = matchMedia('(prefers-reduced-motion: reduce)');
  addEventListener('resize', guarded(() => {
    const now = measure();
    if (!opened || !box.clientWidth || now.join() === size.join()) return;
    size = now;
    shape();
    program.resize(...size);
    later();
  }));
  // Keys come between two of these; what was read is drawn now and then.
  const SLICE = 25, DRAWN = 200;
  let drawn = 0;
  const read = guarded(which => {
    if (which !== opened) return;
    const until = performance.now() + SLICE;
    do reading = !program.read(5000); while (reading && performance.now() < until);
    box.setAttribute('aria-busy', reading);
    if (!reading || until - drawn > DRAWN) {
      drawn = until;
      later();
    }
    // Not by a timer: browsers hold those back that come again and again.
    if (reading) next.port2.postMessage(which);
  });
  const next = new MessageChannel();
  next.port1.onmessage = event => read(event.data);
  return {
    // `job` opens a recording at a size; the screen must be in sight.
    open: guarded(job => {
      size = measure();
      shape();
      delete box.dataset.text;
      if (job(...size)) return fail(take());
      if (reduced.matches) program.animation(0);
      reading = true;
      drawn = 0;
      read(++opened);
    }),
    look: guarded((lang, theme) => {
      program.look(lang, theme);
      if (opened) later();
    }),
  };
};

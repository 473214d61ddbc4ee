// Search for a language without spaces between words: parts of the text, wherever they stand.
elasticlunr.Index.load = index => {
  const docs = Object.values(index.documentStore.docs);
  const around = (doc, at, length) => {
    const from = Math.max(0, at - 40), to = Math.min(doc.body.length, at + length + 80);
    const parts = [doc.body.slice(from, at), doc.body.slice(at, at + length), doc.body.slice(at + length, to)];
    return { ...doc, body: at < 0 ? doc.body.slice(0, 120) : parts.join(' ') };
  };
  const count = (text, term) => text.toLowerCase().split(term).length - 1;
  return {
    search: words => {
      const terms = words.toLowerCase().split(/\s+/).filter(term => term);
      const found = [];
      for (const doc of terms.length ? docs : []) {
        const hits = terms.map(term => 10 * count(doc.title, term) + count(doc.body, term));
        if (!hits.every(n => n)) continue;
        const at = terms.map(term => doc.body.toLowerCase().indexOf(term));
        const first = at.findIndex(n => n >= 0);
        const shown = around(doc, first < 0 ? -1 : at[first], first < 0 ? 0 : terms[first].length);
        found.push({ ref: doc.id, score: hits.reduce((a, b) => a + b), doc: shown });
      }
      return found.sort((a, b) => b.score - a.score);
    },
  };
};

// How the search ranks: chapters and pages of methods, then other pages, then the reference and the records.
const LOW = ["runs", "references", "maintain"];

function kind(name) {
  if (name.startsWith("api/")) return -60;
  if (LOW.includes(name)) return -20;
  if (/^(\d\d-|controls\/)/.test(name)) return 20;
  return 10;
}

var Scorer = {
  score: ([name, , , , score]) => score + kind(name),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

// Select words in a record, and the form below knows which passage is meant. Without this script
// the words are typed or pasted; the server knows no difference.
(() => {
  const form = document.querySelector("[data-cover]");
  if (!form) return;
  for (const hidden of document.querySelectorAll("[data-with-script]")) hidden.hidden = false;
  const points = (text) => Array.from(text).length;
  const { field, text, start, end } = form.elements;
  const forget = () => { start.value = ""; end.value = ""; };
  const take = () => {
    const chosen = document.getSelection();
    if (!chosen || chosen.isCollapsed || !chosen.rangeCount) return;
    const range = chosen.getRangeAt(0);
    const holder = range.commonAncestorContainer;
    const place = (holder.nodeType === 1 ? holder : holder.parentElement).closest("[data-field]");
    if (!place) return;
    const before = document.createRange();
    before.selectNodeContents(place);
    before.setEnd(range.startContainer, range.startOffset);
    const words = range.toString();
    if (!words.trim()) return;
    field.value = place.dataset.field;
    text.value = words;
    start.value = String(points(before.toString()));
    end.value = String(points(before.toString()) + points(words));
  };
  document.addEventListener("mouseup", take);
  document.addEventListener("keyup", take);
  text.addEventListener("input", forget);
  field.addEventListener("change", forget);
})();

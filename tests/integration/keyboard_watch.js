// Watches a page that is used by keyboard: which control has the focus, whether that is seen, and what a key does to it.
window.watch = (() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const used = new Set();
  const troubles = [];
  const acted = new Set();
  let last = null;

  // Links and buttons that were pressed lead nowhere, so that the walk goes on; what opens something opens it.
  document.addEventListener("click", (event) => {
    acted.add(event.target.closest(CONTROLS));
    if (!event.target.closest("summary, .menu, input")) event.preventDefault();
  }, true);
  document.addEventListener("submit", (event) => event.preventDefault(), true);
  document.addEventListener("htmx:beforeRequest", (event) => event.preventDefault());

  const named = (element) => `${element.localName} ${element.id || element.getAttribute("aria-label") || element.textContent.trim().slice(0, 60)}`;
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const isSeen = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return left < innerWidth && right > 0 && top < innerHeight && bottom > 0;
  };
  const state = (element) => [element.value, element.checked, element.scrollLeft, element.scrollTop].join();
  const group = (element) => (element.type === "radio" ? document.querySelectorAll(`input[name="${element.name}"]`) : [element]);

  // The key that uses a control; empty where there is nothing to use.
  function keyOf(element) {
    if (element.matches("a, button, summary")) return "Enter";
    if (element.matches("select")) return element.selectedIndex + 1 < element.options.length ? "ArrowDown" : "ArrowUp";
    if (element.matches("input[type=radio]")) return "ArrowDown";
    if (element.matches("input[type=checkbox]")) return "Space";
    if (element.matches("input, textarea")) return "1";
    if (element.scrollHeight > element.clientHeight + 1) return "ArrowDown";
    return element.scrollWidth > element.clientWidth + 1 ? "ArrowRight" : "";
  }

  const isUsed = ({ element, before }) => acted.has(element) || state(element) !== before;

  async function judge(last) {
    for (let frames = 0; last.key && !isUsed(last) && frames < 60; frames++) await new Promise(requestAnimationFrame); // scrolling takes some
    if (last.key && !isUsed(last)) troubles.push(`${named(last.element)}: ${last.key} does nothing`);
  }

  return {
    troubles,
    // Judges what the last key did, and says the key for the control that has the focus now; null at the end.
    async next() {
      if (last) await judge(last);
      const element = document.activeElement;
      last = null;
      if (element === document.body) return used.size ? null : "";
      if (used.has(element)) return null;
      const style = getComputedStyle(element);
      if (!element.matches(":focus-visible") || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1 || style.outlineColor === "rgba(0, 0, 0, 0)")
        troubles.push(`${named(element)}: the focus is not visible`);
      if (!isSeen(element)) troubles.push(`${named(element)}: it has the focus out of sight`);
      for (const each of group(element)) used.add(each);
      last = { element, key: keyOf(element), before: state(element) };
      return last.key;
    },
    missed: () => [...document.querySelectorAll(CONTROLS)].filter((each) => isVisible(each) && !used.has(each)).map(named),
    reached: (text) => [...used].some((each) => each.textContent.trim() === text),
  };
})();

// The page's only script: regions come in by server-sent events, forms go out by fetch. Without it, forms and links
// still work, and the page shows what was true when it was loaded.
"use strict";

document.documentElement.classList.add("js");
const $ = (id) => document.getElementById(id);
const shows = (dialog) => dialog.matches(":modal");

// --- regions in: change what is there into what came, and leave alone what a person is using

// Attributes that belong to the person, not to the server, while an element is in use.
const OURS = { DIALOG: ["open"], DETAILS: ["open"], INPUT: ["aria-expanded", "aria-activedescendant"] };

function alike(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.classList.contains("listbox")) return;
  const keep = OURS[old.nodeName] || [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !keep.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!keep.includes(name) && old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
      if (name === "value" && old.type === "hidden") old.value = value;
    }
  }
  if (old.nodeName !== "TEXTAREA") morphInside(old, fresh);
}

function morphInside(old, fresh) {
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let found = wanted.id ? named.get(wanted.id) : null;
    if (!found && at && alike(at, wanted)) found = at;
    if (found && alike(found, wanted)) {
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      morph(found, wanted);
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    const dialogs = gone.nodeName === "DIALOG" ? [gone] : [...(gone.querySelectorAll?.("dialog") || [])];
    const open = dialogs.filter((dialog) => dialog.open);
    for (const dialog of open) dialog.close();
    gone.remove();
    if (open.length) settle();
  }
}

// A dialog gives the focus back but not the caret, which is lost with the dialog: without this, keys would do nothing.
function settle() {
  const on = document.activeElement;
  on.blur();
  on.focus();
}

function receive(regions) {
  const log = $("conversation");
  const follows = log && log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const [id, html] of Object.entries(regions)) {
    const old = $(id);
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (!old || !fresh) continue;
    if (alike(old, fresh)) morph(old, fresh);
    else old.replaceWith(fresh);
  }
  openModals();
  const now = $("conversation");
  if (now && now.hasAttribute("data-follow") && (follows || now !== log) && "conversation" in regions) {
    now.scrollTop = now.scrollHeight;
  }
}

function openModals() {
  for (const dialog of document.querySelectorAll("dialog[data-modal]")) {
    if (shows(dialog)) continue;
    dialog.removeAttribute("open");
    dialog.showModal();
  }
  const wrong = document.querySelector("dialog[data-modal] [aria-invalid]");
  if (wrong && !wrong.closest("dialog").contains(document.querySelector("[aria-invalid]:focus")) && wrong !== toldOf) wrong.focus();
  toldOf = wrong;
}
let toldOf = null;

let stream;
function listen() {
  stream?.close();
  stream = new EventSource(`/events${location.search}`);
  stream.onmessage = (event) => receive(JSON.parse(event.data));
}

// --- forms and links out

async function send(form, button) {
  const said = new FormData(form, button);
  const action = button?.getAttribute("formaction") || form.getAttribute("action");
  button?.closest("dialog.confirm")?.close();
  form.setAttribute("aria-busy", "true");
  try {
    const headers = { Accept: "application/json" };
    await fetch(action, { method: "POST", headers, body: new URLSearchParams(said) });
  } finally {
    form.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  send(form, event.submitter);
  if (form.id === "composer") {
    form.elements.text.value = "";
    completions.hide();
  }
});

function look(address) {
  history.pushState(null, "", address);
  listen();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-view]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("href") !== location.pathname + location.search) look(link.getAttribute("href"));
  if (link.dataset.type) {
    $("text").value = link.dataset.type;
    $("text").focus();
  }
});
window.addEventListener("popstate", listen);

// What is chosen in a menu is told at once, by the button that is there for those without this script.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-apply]")) return;
  const group = event.target.closest(".block");
  const button = [...group.querySelectorAll(".apply")].find((one) => event.target.id.startsWith(one.id.replace(/-apply$/, "")));
  if (button) button.form.requestSubmit(button);
});

// Escape closes a modal as its own button does, so that the app hears of it.
document.addEventListener("cancel", (event) => {
  if (!event.target.matches?.("dialog[data-modal]")) return;
  event.preventDefault();
  event.target.querySelector("[data-close]").click();
}, true);

// Browsers that do not know `command` yet.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[commandfor]");
    const dialog = button && $(button.getAttribute("commandfor"));
    if (dialog) button.getAttribute("command") === "show-modal" ? dialog.showModal() : dialog.close();
  });
}

// --- completion: a text field and its list (WAI-ARIA's combobox), for the composer and for menus that ask the app

const AGAIN_MS = 3200;

class Choices {
  constructor(input, list, ask, take) {
    Object.assign(this, { input, list, ask, take, at: -1, asked: 0, patience: 0 });
    input.addEventListener("input", () => this.later());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.choose([...list.children].indexOf(item));
    });
  }

  later() {
    this.patience = 3;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), 60);
  }

  async refresh() {
    const number = ++this.asked;
    const found = await this.ask(this.input.value);
    if (number !== this.asked || document.activeElement !== this.input) return;
    const held = this.at >= 0 ? this.found[this.at][1] : null;
    this.found = found;
    this.list.replaceChildren(...found.map(([, said, about], at) => this.item(said, about, at)));
    this.at = -1;
    this.show(found.length > 0);
    const again = held === null ? -1 : found.findIndex(([, said]) => said === held);
    if (again >= 0) this.mark(again);
    // Nothing may mean that a busy machine did not find out in time: ask again while the text stays as it is.
    if (!found.length && this.input.value && this.patience-- > 0) this.timer = setTimeout(() => this.refresh(), AGAIN_MS);
  }

  item(said, about, at) {
    const item = document.createElement("li");
    item.id = `${this.list.id}-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    for (const [name, text] of [["word", said], ["meaning", about]]) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text || "";
      if (text) item.append(part);
    }
    return item;
  }

  show(on) {
    this.list.hidden = !on;
    this.input.setAttribute("aria-expanded", String(on));
    this.input.removeAttribute("aria-activedescendant");
  }

  hide() {
    this.asked++;
    clearTimeout(this.timer);
    this.show(false);
  }

  move(by) {
    const count = this.list.children.length;
    this.mark((this.at + by + count) % count);
  }

  mark(chosen) {
    const items = [...this.list.children];
    this.at = chosen;
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
    items[this.at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", items[this.at].id);
  }

  choose(at) {
    const chosen = this.found[at];
    this.hide();
    this.take(chosen);
  }

  key(event) {
    if (this.list.hidden) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.move(this.at < 0 && event.key === "ArrowUp" ? 0 : moves[event.key]);
    else if (event.key === "Escape") this.hide();
    else if (event.key === "Tab" && !event.shiftKey) this.choose(Math.max(0, this.at));
    else if (event.key === "Enter" && this.at >= 0) this.choose(this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const completions = new Choices(
  $("text"),
  $("completions"),
  async (text) => {
    if (!text.startsWith("/")) return [];
    const answer = await fetch(`/complete?${new URLSearchParams({ text })}`);
    return answer.ok ? (await answer.json()).map(([whole, about]) => [whole, whole, about]) : [];
  },
  ([whole]) => {
    $("text").value = `${whole.trimEnd()} `;
    completions.later();
  },
);

document.addEventListener("focusin", (event) => {
  const input = event.target;
  if (!input.matches?.("[data-suggest]") || input.choices) return;
  const held = $(`${input.id}-value`);
  const viewId = input.form.elements.view_id?.value || "";
  input.choices = new Choices(
    input,
    $(`${input.id}-list`),
    async (typed) => {
      held.value = "";
      if (typed.length < Number(input.dataset.least)) return [];
      const asked = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries({ typed, view_id: viewId, action_id: input.dataset.suggest })) asked.set(name, value);
      const answer = await fetch(`/suggest?${asked}`);
      return answer.ok ? (await answer.json()).map(([option, said]) => [option, said, ""]) : [];
    },
    ([option, said]) => {
      input.value = said;
      held.value = option;
      const button = $(`${input.id}-apply`);
      if (button) button.form.requestSubmit(button);
    },
  );
  if (Number(input.dataset.least) === 0) input.choices.later();
});

openModals();
const log = $("conversation");
if (log?.hasAttribute("data-follow")) log.scrollTop = log.scrollHeight;
listen();

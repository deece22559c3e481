/* Baton's tracker; docs/tracking.md tells what it does and what sites may call. */
(() => {
  const script = document.currentScript;
  const early = window.baton;
  if (!script || early?.track) return;
  const asks = script.dataset.consent === "ask";
  const refused = navigator.globalPrivacyControl;
  const endpoint = script.src.replace(/baton\.js.*/, "v1/b");
  const DOWNLOAD = /\.(pdf|epub|docx?|xlsx?|pptx?|od[pst]|csv|zip|gz|7z|dmg|exe|msi|mp[34])$/i;
  const ID = "baton_id", QUEUE = "baton_queue";

  let id = ""; // of the visitor; empty while nothing may be sent or kept
  let userId = null, token = null, queue = [], timer = 0, pause = 0;
  let here = "", referrer = document.referrer, read = 0, seenSince = 0;

  // Whatever fails here, the page goes on as if we were not there.
  const safe = (act) => (...given) => { try { return act(...given); } catch { /* so be it */ } };
  const on = (place, name, act) => place.addEventListener(name, safe(act), true);
  const keep = safe((store, name, value) => value ? window[store].setItem(name, value) : window[store].removeItem(name));
  const kept = safe((store, name) => window[store].getItem(name));
  const random = () => crypto.randomUUID?.() ?? // plain http has none
    crypto.getRandomValues(new Uint32Array(4)).join("-");

  /* Sending: what was not acknowledged is sent again under the same id, on the next page if need be. */

  const body = (batch) => JSON.stringify({ batch, sentAt: new Date(), writeKey: script.dataset.key });
  const save = () => keep("sessionStorage", QUEUE, queue[0] && JSON.stringify(queue));
  const later = (wait) => { if (queue[0]) timer ||= setTimeout(send, wait); };

  async function send() {
    const batch = queue.slice(0, 10), text = body(batch);
    if (!batch[0]) return void (timer = 0);
    let status, wait;
    try { // text without credentials needs no preflight
      const answer = await fetch(endpoint, { method: "POST", body: text, keepalive: text.length < 3e4, credentials: "omit" });
      status = answer.status;
      wait = answer.headers.get("Retry-After") * 1000;
    } catch { status = 503; }
    timer = 0;
    if (status === 408 || status === 429 || status > 499) {
      pause = Math.min(pause * 2 || 1000, 60000);
    } else {
      pause = 0;
      queue = queue.filter((message) => !batch.includes(message));
      save();
    }
    later(Math.max(pause, wait || 0));
  }

  function add(type, more, baton) {
    if (!id) return;
    const campaign = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value;
    }
    const page = { url: here, path: new URL(here).pathname, title: document.title, referrer };
    const context = { page, campaign, userAgent: navigator.userAgent, baton };
    const text = JSON.stringify({ type, messageId: random(), timestamp: new Date(), anonymousId: id, userId, ...more, context });
    if (text.length < 3e4) queue = [...queue, JSON.parse(text)].slice(-50);
    save();
    later(50);
  }

  /* Pages, and the seconds for which they were in sight. */

  const address = () => location.href.split("#")[0];
  const see = () => { seenSince = document.hidden ? 0 : Date.now(); };

  function page() {
    here = address();
    read = 0;
    see();
    add("page", { properties: { title: document.title } }, token && { token });
    if (id) token = null;
  }

  function leave() {
    if (seenSince) read += Date.now() - seenSince;
    const seconds = Math.round(read / 1000);
    if (seconds) track("Page Left", { seconds });
    read = seenSince = 0;
  }

  function moved() {
    if (!id || address() === here) return;
    leave();
    referrer = here;
    page();
  }

  function depart() {
    leave();
    // While sending fails, the next page tries again, too; the collector knows what it has.
    if (queue[0] && navigator.sendBeacon(endpoint, body(queue)) && !pause) {
      queue = [];
      save();
    }
  }

  /* What sites may call. */

  const track = (event, properties) => add("track", { event, properties });

  function identify(user, traits) {
    if (user?.trim) userId = user;
    else traits = user;
    add("identify", { traits });
  }

  function consent(granted) {
    if (granted && !refused) {
      if (id) return;
      id = kept("localStorage", ID);
      if (!id || id === "no") id = random();
      keep("localStorage", ID, id);
      queue = safe(JSON.parse)(kept("sessionStorage", QUEUE)) ?? [];
      page();
    } else {
      id = "";
      queue = [];
      keep("localStorage", ID, !asks && !refused && "no"); // a site that does not ask has to remember
      save();
    }
    hand();
  }

  // Forms, frames and links that ask for it get the visitor's id.
  function hand() {
    for (const field of document.querySelectorAll("input[name=baton_id]")) field.value = id;
    document.querySelectorAll("[data-baton]").forEach(safe((place) => {
      const name = place.src ? "src" : "href", url = new URL(place[name]), query = url.searchParams;
      if (query.get(ID) === (id || null)) return;
      if (id) query.set(ID, id);
      else query.delete(ID);
      place[name] = url;
    }));
  }

  /* What pages tell by themselves. */

  function clicked({ target }) {
    const link = target.closest("a[href]");
    if (!/^http/.test(link?.protocol)) return;
    const name = link.pathname.split("/").pop();
    if (link.hasAttribute("download") || DOWNLOAD.test(name)) track("File Downloaded", { url: link.href, name });
    else if (link.host !== location.host) track("Link Clicked", { href: link.href });
  }

  function submitted({ target }) {
    hand();
    const form = target.dataset.batonForm, traits = {};
    if (!form) return;
    for (const { dataset, type, value, checked } of target.elements) {
      const isOn = checked || !/password|file|checkbox|radio/.test(type);
      if (dataset.batonTrait && isOn) traits[dataset.batonTrait] = value;
    }
    track("Form Submitted", { form });
    if (Object.keys(traits)[0]) identify(traits);
  }

  const begin = safe(() => {
    const url = new URL(location);
    token = url.searchParams.get("baton_t");
    url.searchParams.delete("baton_t");
    if (token) history.replaceState(history.state, "", url);
    const known = kept("localStorage", ID);
    if (refused) consent(false);
    else if (known ? known !== "no" : !asks) consent(true);
    if (Array.isArray(early)) early.forEach(calls.push);
  });

  const calls = { identify, track, page, consent };
  for (const name in calls) calls[name] = safe(calls[name]);
  calls.push = safe(([name, ...given]) => calls[name](...given));
  window.baton = calls;

  const { pushState } = history;
  history.pushState = function (...given) {
    pushState.apply(this, given);
    safe(moved)();
  };
  on(window, "popstate", moved);
  on(window, "pageshow", ({ persisted }) => persisted && page());
  on(window, "pagehide", depart);
  on(document, "visibilitychange", () => (document.hidden ? depart() : see()));
  on(document, "click", clicked);
  on(document, "auxclick", clicked);
  on(document, "submit", submitted);
  if (document.prerendering) on(document, "prerenderingchange", begin);
  else begin();
})();

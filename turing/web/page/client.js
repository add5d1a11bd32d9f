// The study's protocol over HTTP, from the participant's side: the token, requests that outlast a
// lost connection or a restart of the server, and the answer that is kept until it is saved.

const TIMEOUT_MS = 30_000; // longer than the server waits for its store
const PICTURE_TIMEOUT_MS = 120_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const KEPT = ["token", "started", "unsent", "draft"]; // of one participation
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A final "no" of the server: its status, its code word, its sentence, and where to go instead. */
export class Refusal extends Error {
  constructor(status, code, sentence, link) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.link = link;
  }
}

export class Client {
  /**
   * @param {string} address the study's address, ending in "/"
   * @param {string} keyspace where localStorage keeps this participation
   * @param {string?} preview the key of a preview link
   * @param {(trouble: boolean, code?: string) => void} onTrouble told when a request has to wait,
   *   with the server's word for it, or is through
   */
  constructor(address, keyspace, preview, onTrouble) {
    this.address = address;
    this.preview = preview;
    this.onTrouble = onTrouble;
    this.keyspace = keyspace;
    this.shared = openStorage(keyspace); // of this browser, whoever sits at it
    this.kept = this.ofPerson(this.shared.get("last"));
    this.era = 0;
    this.waiting = new Set();
  }

  /** Where what is kept of a person lies: those whose links have an ID never share. */
  ofPerson(id) {
    return id ? openStorage(`${this.keyspace}/person/${id}`) : this.shared;
  }

  /**
   * Goes on as the person whose ID stands in the link, whoever used this browser before. A link
   * without one means the person who was here last.
   */
  meet(id) {
    if (!id) return;
    this.id = id;
    this.kept = this.ofPerson(id);
    // A token of a time before IDs were told apart here is theirs who comes first.
    if (this.token || this.shared.get("anonymous")) return;
    for (const key of KEPT) {
      const value = this.shared.get(key);
      if (value !== null) this.kept.set(key, value);
      this.shared.remove(key);
    }
  }

  get token() {
    return this.kept.get("token");
  }

  get hasUnsent() {
    return this.kept.get("unsent") !== null;
  }

  get keepsNothing() {
    return this.kept.isMemory;
  }

  /**
   * What is said of the study; `link` is what it asks of the address that one came by, `device` of
   * what one looks at it on.
   */
  info() {
    const query = this.preview ? `?preview=${encodeURIComponent(this.preview)}` : "";
    return this.request(`info${query}`, undefined, async (response) => {
      const device = new URLSearchParams(response.headers.get("Study-Device") ?? "");
      return { ...(await response.json()), link: linkOf(response), device };
    });
  }

  /** The state of a participant who has come back; nothing for one who has not started. */
  async resume() {
    if (!this.token) return undefined;
    try {
      const unsent = this.kept.get("unsent");
      return unsent ? await this.sendAgain(JSON.parse(unsent)) : await this.state();
    } catch (refusal) {
      // A start that was never acknowledged may still reach the server: its token is used again.
      if (refusal.status === 401 && !this.kept.get("started")) return undefined;
      throw refusal;
    }
  }

  /**
   * @param {object} more what the page says of the device, and of its screen; `resume`: only if
   *   this person has started before, in whatever browser
   */
  async start(query, answers, more) {
    if (!this.token) this.kept.set("token", newToken());
    if (this.id) this.shared.set("last", this.id);
    else if (this.kept === this.shared) this.shared.set("anonymous", "yes");
    const body = { consent: true, query, answers, ...more };
    if (this.preview) body.preview = this.preview;
    const { token, state, receipt } = await this.request("start", body, withReceipt);
    this.kept.set("token", token);
    this.kept.set("started", "yes");
    return { ...state, receipt };
  }

  state() {
    return this.request("state", undefined, withReceipt);
  }

  /** Sends a choice; it is kept in localStorage until the server has saved or refused it. */
  async answer(answer) {
    const kept = JSON.stringify(answer);
    this.kept.set("unsent", kept);
    try {
      return await this.request("answer", answer, withReceipt);
    } finally {
      if (this.kept.get("unsent") === kept) this.kept.remove("unsent");
    }
  }

  async sendAgain(unsent) {
    try {
      const { state, receipt } = await this.answer(unsent);
      return { ...state, receipt };
    } catch (refusal) {
      if (refusal.status === 401) throw refusal;
      return this.state();
    }
  }

  async finish(answers) {
    const end = await this.request("finish", { answers }, withReceipt);
    this.kept.remove("draft");
    return end;
  }

  /** Withdraws; whatever else was waiting to be sent is given up. The state has a `receipt`. */
  async leave() {
    this.era += 1;
    this.waiting.clear();
    this.onTrouble(false);
    this.kept.remove("unsent");
    this.kept.remove("draft");
    return this.request("leave", {}, withReceipt);
  }

  drop() {
    for (const key of KEPT) this.kept.remove(key);
  }

  get draft() {
    return JSON.parse(this.kept.get("draft") ?? "{}");
  }

  set draft(answers) {
    this.kept.set("draft", JSON.stringify(answers));
  }

  /** A picture's bytes, in one attempt. */
  async picture(url) {
    const options = { signal: abortedAfter(PICTURE_TIMEOUT_MS) };
    return (await this.fetch(url, options)).blob();
  }

  /** The JSON that a call answers; with a body it is a POST. */
  request(path, body, read = (response) => response.json()) {
    const headers = {};
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body) headers["Content-Type"] = "application/json";
    return this.insist(async () => {
      const signal = abortedAfter(TIMEOUT_MS);
      const post = body && { method: "POST", body: JSON.stringify(body) };
      return read(await this.fetch(path, { headers, signal, ...post }));
    });
  }

  async fetch(path, options) {
    const url = new URL(path, this.address);
    const response = await fetch(url, { cache: "no-store", mode: "same-origin", ...options });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  /** Tries until there is an answer or a final refusal; after leaving, nothing else comes back. */
  async insist(attempt) {
    const era = this.era;
    for (let failures = 0; era === this.era; failures += 1) {
      const outcome = await attempt().catch((problem) => problem);
      if (era !== this.era) break;
      if (!(outcome instanceof Error) || outcome instanceof Refusal) {
        this.note(attempt, false);
        if (outcome instanceof Refusal) throw outcome;
        return outcome;
      }
      this.note(attempt, true, outcome.code);
      await pause(failures, outcome.retryAfterMs);
    }
    return new Promise(() => {});
  }

  note(attempt, isWaiting, code) {
    if (isWaiting) this.waiting.add(attempt);
    else if (!this.waiting.delete(attempt)) return;
    this.onTrouble(this.waiting.size > 0, code);
  }
}

/** What the study asks of the address that one came by, and where it sends people. */
const linkOf = (response) => new URLSearchParams(response.headers.get("Study-Link") ?? "");

const withReceipt = async (response) => ({
  ...(await response.json()),
  receipt: response.headers.get("Study-Receipt"),
});

/** A Refusal, or an Error where asking again may help. */
async function refusalOf(response) {
  const { code, error } = await response.json().catch(() => ({}));
  // Without our code it is not the study that speaks, but a proxy while the server restarts.
  if (code && !PASSING.has(response.status)) {
    return new Refusal(response.status, code, error, linkOf(response));
  }
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return Object.assign(new Error(`status ${response.status}`), { code, retryAfterMs: seconds * 1000 });
}

/** Waits, longer after each failure, or as long as the server asked; shorter once back online. */
function pause(failures, retryAfterMs) {
  const growing = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  const asked = retryAfterMs >= 0 ? Math.min(retryAfterMs, 4 * LONGEST_PAUSE_MS) : growing;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, asked * (1 + Math.random() / 4));
    addEventListener("online", done);
  });
}

/** A signal to give up; browsers before 2022 have no AbortSignal.timeout. */
function abortedAfter(ms) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

/** 32 random bytes in base64url. */
function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/** The tab's own name, which outlasts a reload, as a storage. */
function tabStorage(name) {
  const read = () => {
    try {
      return JSON.parse(window.name).study ?? {};
    } catch {
      return {}; // somebody else's name
    }
  };
  const write = (values) => (window.name = JSON.stringify({ study: values }));
  return {
    isMemory: true,
    get: (key) => read()[name(key)] ?? null,
    set: (key, value) => write({ ...read(), [name(key)]: value }),
    remove: (key) => write({ ...read(), [name(key)]: undefined }),
  };
}

/**
 * localStorage under a prefix; the tab's name where the browser refuses it to a page inside another,
 * and for what does not fit in: other pages of the same host may have filled it.
 */
function openStorage(keyspace) {
  const name = (key) => `${keyspace}/${key}`;
  const ofTab = tabStorage(name);
  try {
    localStorage.setItem(name("probe"), "");
    localStorage.removeItem(name("probe"));
  } catch {
    return ofTab;
  }
  const remove = (key) => {
    localStorage.removeItem(name(key));
    if (ofTab.get(key) !== null) ofTab.remove(key); // else the tab keeps whatever name it has
  };
  const set = (key, value) => {
    remove(key);
    try {
      localStorage.setItem(name(key), value);
    } catch {
      ofTab.set(key, value);
    }
  };
  const get = (key) => localStorage.getItem(name(key)) ?? ofTab.get(key);
  return { isMemory: false, get, set, remove };
}

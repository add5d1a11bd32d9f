// The address that brought somebody here, whatever it went through on its way: panels and mail
// programs escape addresses twice, write "&amp;", or add their own parameters behind a second "?".

const NAME = /^[A-Za-z0-9-]+$/;
const ESCAPED = /%[0-9A-Fa-f]{2}/;
const TIMES = 3;

/** The parameters of an address's query, by name. */
export function parametersOf(search) {
  let query = search.replace(/^\?/, "").replace(/&amp;/g, "&");
  const namesOne = () => NAME.test(new URLSearchParams(query).get("study") ?? "");
  for (let time = 0; time < TIMES && !namesOne(); time += 1) {
    query = unescaped(query).replace(/\?/g, "&").replace(/&amp;/g, "&");
  }
  const found = new Map();
  for (const [name, value] of new URLSearchParams(query)) {
    const whole = wholly(value ? `${name}=${value}` : name);
    const isSplit = !value && whole.includes("=");
    const [ownName, ...rest] = isSplit ? whole.split("=") : [wholly(name)];
    if (!found.has(ownName)) found.set(ownName, isSplit ? rest.join("=") : wholly(value));
  }
  return found;
}

/** A text with all its escapes undone. */
function wholly(text) {
  for (let time = 0; time < TIMES && ESCAPED.test(text); time += 1) text = unescaped(text);
  return text;
}

function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // "100%": no escape at all
  }
}

/** Which profile this browser watches as. Only the profile's id is kept here; sessions live in HttpOnly cookies. */

const KEY = "kinora.profile";

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

let current = read();

export const chosenProfile = {
  get: () => current,
  set(id: string | undefined) {
    current = id;
    try {
      if (id) localStorage.setItem(KEY, id);
      else localStorage.removeItem(KEY);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  },
};

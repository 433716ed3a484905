/** Cast and crew of a title, in billing order: named, given a role, taken out. */
import { useRef } from "react";
import { Icon } from "@/components/icons";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import type { NewCredit } from "./title-form";

const words = adminEn.titles.people;
const ROLES: NewCredit["role"][] = ["actor", "director", "writer"];
const PEOPLE_MAX = 200;

/** A credit with a key of its own, as two may have the same name. */
export type KeyedCredit = NewCredit & { key: number };

export const keyed = (people: NewCredit[]): KeyedCredit[] => people.map(({ name, role }, key) => ({ name, role, key }));

interface PeopleProps {
  people: KeyedCredit[];
  onChange: (people: KeyedCredit[]) => void;
}

export function TitlePeople({ people, onChange }: PeopleProps) {
  const list = useRef<HTMLFieldSetElement>(null);
  const change = (key: number, part: Partial<NewCredit>) =>
    onChange(people.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const remove = (key: number) => {
    onChange(people.filter((one) => one.key !== key));
    // The button goes with its line: the keyboard goes on at the one that adds.
    list.current?.querySelector<HTMLElement>(".button")?.focus();
  };
  const add = () =>
    onChange([...people, { name: "", role: "actor", key: Math.max(-1, ...people.map(({ key }) => key)) + 1 }]);
  return (
    <fieldset className="field" ref={list}>
      <legend className="field__label">{words.title}</legend>
      {people.map((one, at) => (
        <div key={one.key} className="credit">
          <input
            className="input"
            aria-label={words.name(at + 1)}
            value={one.name}
            maxLength={200}
            onChange={(event) => change(one.key, { name: event.target.value })}
          />
          <select
            className="input"
            aria-label={words.role(at + 1)}
            value={one.role}
            onChange={(event) => change(one.key, { role: event.target.value as NewCredit["role"] })}
          >
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {strings.title.roles[role]}
              </option>
            ))}
          </select>
          <button
            type="button"
            className="icon-button"
            aria-label={words.remove(one.name || String(at + 1))}
            onClick={() => remove(one.key)}
          >
            <Icon name="bin" />
          </button>
        </div>
      ))}
      {people.length < PEOPLE_MAX && (
        <div>
          <button type="button" className="button button--small" onClick={add}>
            <Icon name="plus" />
            {words.add}
          </button>
        </div>
      )}
    </fieldset>
  );
}

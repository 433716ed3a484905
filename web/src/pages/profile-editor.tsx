/** The form of one profile: name, picture, kids, maturity limit. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import * as api from "@/api/endpoints";
import type { Profile } from "@/api/types";
import { Avatar, avatarNames } from "@/components/avatar";
import { Confirm, Dialog } from "@/components/dialog";
import { Field, FormError, Select, Switch } from "@/components/field";
import { strings } from "@/strings";

const words = strings.profiles;
export const MATURITY_ALL = 18;
const KIDS_LIMIT = 12;
const AGES = [0, 6, 10, 12, 14, 16, MATURITY_ALL];

interface EditorProps {
  profile?: Profile;
  last: boolean;
  onSaved: (profile: Profile | undefined) => void;
  onClose: () => void;
}

export function ProfileEditor({ profile, last, onSaved, onClose }: EditorProps) {
  const [name, setName] = useState(profile?.name ?? "");
  const [avatar, setAvatar] = useState(
    profile && avatarNames.includes(profile.avatar) ? profile.avatar : (avatarNames[0] ?? "lamp"),
  );
  const [kids, setKids] = useState(profile?.kids ?? false);
  const [maturity, setMaturity] = useState(profile?.maturity_max ?? MATURITY_ALL);
  const [removing, setRemoving] = useState(false);
  const save = useMutation({
    mutationFn: () => {
      const draft = { name: name.trim(), avatar, kids, maturity_max: maturity };
      return profile ? api.updateProfile(profile.id, draft) : api.createProfile(draft);
    },
    onSuccess: onSaved,
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.deleteProfile(id),
    onSuccess: () => onSaved(undefined),
  });
  const chooseKids = (on: boolean) => {
    setKids(on);
    setMaturity(on ? Math.min(maturity, KIDS_LIMIT) : MATURITY_ALL);
  };
  const error = save.error ?? remove.error;
  return (
    <Dialog title={profile ? words.editTitle : words.newTitle} onClose={onClose}>
      <form onSubmit={preventing(() => save.mutate())} className="form form--wide">
        <Field
          label={words.name}
          value={name}
          onChange={(event) => setName(event.target.value)}
          required
          maxLength={40}
          autoComplete="off"
        />
        <AvatarChoice chosen={avatar} onChoose={setAvatar} />
        <Switch label={words.kids} hint={words.kidsHint} checked={kids} onChange={chooseKids} />
        <Select
          label={words.maturity}
          value={String(maturity)}
          onChange={(value) => setMaturity(Number(value))}
          options={agesWith(maturity, kids).map((age) => ({
            value: String(age),
            label: age >= MATURITY_ALL ? words.maturityAll : strings.title.maturity(age),
          }))}
        />
        <FormError>{error?.message}</FormError>
        <div className="dialog__actions">
          {profile && !last && (
            <button type="button" className="button button--danger" onClick={() => setRemoving(true)}>
              {words.remove}
            </button>
          )}
          <button type="submit" className="button button--primary" disabled={save.isPending}>
            {profile ? words.save : words.create}
          </button>
        </div>
      </form>
      {removing && profile && (
        <Confirm
          question={words.removeSure(profile.name)}
          confirm={words.remove}
          onConfirm={() => remove.mutate(profile.id)}
          onClose={() => setRemoving(false)}
        />
      )}
    </Dialog>
  );
}

const preventing = (act: () => void) => (event: FormEvent) => {
  event.preventDefault();
  act();
};

/** The usual ages, a child's only up to its limit, and the one that is set should it be another. */
function agesWith(age: number, kids: boolean): number[] {
  const usual = AGES.filter((one) => !kids || one <= KIDS_LIMIT);
  return usual.includes(age) ? usual : [...usual, age].sort((a, b) => a - b);
}

function AvatarChoice({ chosen, onChoose }: { chosen: string; onChoose: (name: string) => void }) {
  return (
    <fieldset className="field">
      <legend className="field__label">{words.picture}</legend>
      <div className="faces">
        {avatarNames.map((name) => (
          <label key={name}>
            <input
              type="radio"
              name="avatar"
              value={name}
              checked={chosen === name}
              onChange={() => onChoose(name)}
              aria-label={name}
            />
            <Avatar name={name} seed={name} className="face" />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

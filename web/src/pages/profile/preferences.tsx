/** Genres and kinds that this profile prefers; they count from the next page on. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "@/api/endpoints";
import { genresQuery, meQuery } from "@/api/queries";
import type { Me, Preferences, Profile } from "@/api/types";
import { useActiveProfile } from "@/app/session";
import { FormError } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";

const words = strings.profile;
const KINDS = ["film", "series"];

export function Section() {
  const profile = useActiveProfile();
  if (!profile) return <ListSkeleton count={2} />;
  return <PreferencesForm key={profile.id} profile={profile} />;
}

function PreferencesForm({ profile }: { profile: Profile }) {
  const client = useQueryClient();
  const genres = useQuery(genresQuery);
  const [chosen, setChosen] = useState<Preferences>(profile.preferences);
  const save = useMutation({
    mutationFn: (preferences: Preferences) => api.updateProfile(profile.id, { preferences }),
    onSuccess: (updated) => {
      client.setQueryData<Me>(
        meQuery.queryKey,
        (me) => me && { ...me, profiles: me.profiles.map((old) => (old.id === updated.id ? updated : old)) },
      );
      client.invalidateQueries({ queryKey: ["home"], refetchType: "none" });
      showToast(words.saved);
    },
  });
  const toggle = (list: keyof Preferences) => (value: string) =>
    setChosen((old) => ({
      ...old,
      [list]: old[list].includes(value) ? old[list].filter((entry) => entry !== value) : [...old[list], value],
    }));
  return (
    <form
      className="form form--wide"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(chosen);
      }}
    >
      <Choice
        legend={words.genres}
        hint={words.genresHint}
        values={genres.data?.items.map((genre) => genre.name) ?? chosen.genres}
        chosen={chosen.genres}
        onToggle={toggle("genres")}
      />
      <Choice
        legend={words.contentTypes}
        values={KINDS}
        nameOf={(kind) => (kind === "film" ? strings.title.kindsMany.film : strings.title.kindsMany.series)}
        chosen={chosen.content_types}
        onToggle={toggle("content_types")}
      />
      <FormError>{save.error?.message}</FormError>
      <div>
        <button type="submit" className="button button--primary" disabled={save.isPending}>
          {words.save}
        </button>
      </div>
    </form>
  );
}

interface ChoiceProps {
  legend: string;
  hint?: string;
  values: string[];
  chosen: string[];
  nameOf?: (value: string) => string;
  onToggle: (value: string) => void;
}

function Choice({ legend, hint, values, chosen, nameOf = (value) => value, onToggle }: ChoiceProps) {
  return (
    <fieldset className="field">
      <legend className="field__label">{legend}</legend>
      {hint && <p className="field__hint">{hint}</p>}
      <div className="chips">
        {values.map((value) => (
          <button
            key={value}
            type="button"
            className="chip"
            aria-pressed={chosen.includes(value)}
            onClick={() => onToggle(value)}
          >
            {nameOf(value)}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

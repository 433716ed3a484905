/** Who is logged in and which profile watches; choosing, switching and leaving. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import * as api from "@/api/endpoints";
import { chosenProfile } from "@/api/profile-choice";
import { meQuery } from "@/api/queries";
import type { Id, Me, Profile } from "@/api/types";
import { clearToasts } from "@/components/toast";
import { focusMemory } from "@/lib/focus-memory";

export function activeProfile(me: Me | undefined): Profile | undefined {
  const chosen = chosenProfile.get() ?? me?.profile_id;
  return me?.profiles.find((profile) => profile.id === chosen) ?? me?.profiles[0];
}

export function useMe() {
  return useQuery(meQuery);
}

export function useActiveProfile(): Profile | undefined {
  return activeProfile(useMe().data);
}

/** True when this browser must first ask who is watching. */
export function mustChoose(me: Me): boolean {
  const chosen = chosenProfile.get();
  if (me.profiles.some((profile) => profile.id === chosen)) return false;
  return me.profiles.length > 1;
}

export function useSwitchProfile() {
  const client = useQueryClient();
  return (id: Id) => {
    chosenProfile.set(id);
    focusMemory.clear();
    clearToasts();
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  };
}

export function useLeave() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async (everywhere = false) => {
    await (everywhere ? api.logOutEverywhere() : api.logOut()).catch(() => undefined);
    chosenProfile.set(undefined);
    focusMemory.clear();
    clearToasts();
    client.clear();
    await navigate({ to: "/login" });
  };
}

/** Who is logged in and which profile watches; choosing, switching and leaving. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import * as api from "@/api/endpoints";
import { Problem } from "@/api/http";
import { chosenProfile } from "@/api/profile-choice";
import { meQuery } from "@/api/queries";
import type { Id, Me, Profile } from "@/api/types";
import { clearToasts, showToast } from "@/components/toast";
import { focusMemory } from "@/lib/focus-memory";
import { strings } from "@/strings";

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

/** Asks who is watching, once, and afterwards goes on from the address as it is now: it changes while the new page loads. */
export function useAskWhoIsWatching() {
  const navigate = useNavigate();
  const router = useRouter();
  return useCallback(() => {
    if (router.latestLocation.pathname === "/profiles") return;
    const { href } = router.state.location;
    void navigate({ to: "/profiles", search: { next: href === "/" ? undefined : href }, replace: true });
  }, [navigate, router]);
}

/** Whether it is known who is watching; where it is not and there are several, they are asked. */
export function useSeated(): boolean {
  const { data: me } = useMe();
  const choosing = me !== undefined && mustChoose(me);
  const ask = useAskWhoIsWatching();
  useEffect(() => {
    if (choosing) ask();
  }, [choosing, ask]);
  return !choosing && (me !== undefined || chosenProfile.get() !== undefined);
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

/** Logs out here or everywhere, and goes to the door only when the server has agreed. */
export function useLeave() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async function leave(everywhere = false): Promise<void> {
    try {
      await (everywhere ? api.logOutEverywhere() : api.logOut());
    } catch (error) {
      // Who is not logged in has left already; anything else, and the next person here would still be this one.
      if (!(error instanceof Problem && error.status === 401)) {
        const again = { label: strings.states.retry, run: () => void leave(everywhere) };
        return showToast(everywhere ? strings.auth.notOutEverywhere : strings.auth.notOut, again);
      }
    }
    chosenProfile.set(undefined);
    focusMemory.clear();
    clearToasts();
    client.clear();
    await navigate({ to: "/login" });
  };
}

/** What stands around every page: skip link, offline banner, messages; and the layout of pages inside the house. */
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { onProfileLost, onSignedOut, Problem } from "@/api/http";
import { meQuery } from "@/api/queries";
import { Header } from "@/components/header";
import { OfflineBanner } from "@/components/offline";
import { ErrorState } from "@/components/states";
import { Toasts } from "@/components/toast";
import { wentBack } from "@/lib/navigation";
import { strings } from "@/strings";
import { useAskWhoIsWatching, useMe, useSeated } from "./session";

export function Root() {
  useSignedOut();
  useProfileLost();
  useFocusAfterNavigation();
  return (
    <>
      <a href="#content" className="skip">
        {strings.app.skip}
      </a>
      <OfflineBanner />
      <Outlet />
      <Toasts />
    </>
  );
}

/** Pages for people who are logged in and have said who is watching. */
export function House() {
  const me = useMe();
  useSeated();
  const unreachable = me.isError && !(me.error instanceof Problem && me.error.status === 401);
  return (
    <>
      <Header />
      {unreachable ? (
        <main id="content" className="page">
          <ErrorState error={me.error} retry={() => me.refetch()} heading="h1" />
        </main>
      ) : (
        <Outlet />
      )}
    </>
  );
}

const open = ["/login", "/register", "/setup"];

/** The server ended the session: back to the door, and afterwards back here. */
function useSignedOut() {
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(
    () =>
      onSignedOut(() => {
        const { pathname, href } = router.state.location;
        if (open.includes(pathname)) return;
        void navigate({ to: "/login", search: { next: href === "/" ? undefined : href }, replace: true });
      }),
    [navigate, router],
  );
}

/** The profile that watched here is gone: what is on the page was its, and somebody must say who watches now. */
function useProfileLost() {
  const client = useQueryClient();
  const ask = useAskWhoIsWatching();
  useEffect(
    () =>
      onProfileLost(() => {
        void client.invalidateQueries({ queryKey: meQuery.queryKey });
        ask();
      }),
    [client, ask],
  );
}

/** After a link the keyboard starts at the new page's content; after going back the page itself decides. */
function useFocusAfterNavigation() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const first = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = first.current;
    first.current = path;
    if (before === undefined || path === undefined || wentBack()) return;
    const content = document.getElementById("content");
    if (content && !content.contains(document.activeElement)) content.focus({ preventScroll: true });
  }, [path]);
}

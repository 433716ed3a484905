/**
 * A row of cards that scrolls sideways: by finger, wheel, arrow buttons, and arrow keys from its single tab stop.
 * It remembers which card was last in hand, and takes the focus back there when the viewer returns.
 */
import { memo, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { HomeRow, Reason } from "@/api/types";
import { focusMemory } from "@/lib/focus-memory";
import { keptIndex } from "@/lib/row-keys";
import { strings } from "@/strings";
import { Card } from "./card";
import { Icon } from "./icons";
import { ReasonText } from "./reason";
import { isRightToLeft, motion, useRoving } from "./roving";

interface RowProps {
  row: HomeRow;
  /** True for what is on the first screen. */
  eager?: boolean;
  returned?: boolean;
  heading?: "h2" | "h3";
}

export const Row = memo(function Row({ row, eager, returned, heading: Heading = "h2" }: RowProps) {
  const headingId = useId();
  const helpId = useId();
  const scroller = useRef<HTMLUListElement>(null);
  const edges = useEdges(scroller, row.items.length);
  const keys = useRowKeys(row, scroller, returned);
  const wide = row.kind === "continue_watching";
  const asHeading = reasonAsHeading(row);
  const page = (direction: 1 | -1) => {
    const list = scroller.current;
    list?.scrollBy({ left: direction * list.clientWidth * 0.9 * (isRightToLeft(list) ? -1 : 1), behavior: motion() });
  };
  return (
    <section className={`row row--${row.kind}`} aria-labelledby={headingId}>
      <div className="row__head">
        <Heading id={headingId}>{asHeading ? <ReasonText reason={asHeading} /> : row.title}</Heading>
        {row.reason && !asHeading && (
          <p className="row__reason">
            <ReasonText reason={row.reason} />
          </p>
        )}
      </div>
      <p id={helpId} className="visually-hidden">
        {strings.home.rowHelp}
      </p>
      <div className="row__body" data-at-start={edges.start} data-at-end={edges.end}>
        <Arrow side="back" name={strings.home.previous(row.title)} disabled={edges.start} onClick={() => page(-1)} />
        <ul
          className={wide ? "row__list row__list--wide" : "row__list"}
          ref={scroller}
          onKeyDown={keys.onKeyDown}
          aria-labelledby={headingId}
          aria-describedby={helpId}
        >
          {row.items.map((item, index) => (
            <li key={item.title.id} onFocus={() => keys.setActive(index)}>
              <Card
                card={item.title}
                reason={item.reason ?? row.reason}
                wide={wide}
                rank={row.kind === "trending" ? index + 1 : undefined}
                eager={eager && index < 7}
                tabIndex={index === keys.active ? 0 : -1}
                onOpen={() => keys.open(index)}
                linkRef={(element) => keys.register(index, element)}
              />
            </li>
          ))}
        </ul>
        <Arrow side="next" name={strings.home.next(row.title)} disabled={edges.end} onClick={() => page(1)} />
      </div>
    </section>
  );
});

/** "Because you watched Heat" is heading and reason at once: then it stands there once, and Heat is a link. */
export function reasonAsHeading({ title, reason }: HomeRow): Reason | undefined {
  if (!reason) return undefined;
  const named = reason.because_titles;
  const said = reason.text === title || (named.length > 0 && named.every(({ name }) => title.includes(name)));
  return said ? { ...reason, text: title } : undefined;
}

interface ArrowProps {
  side: "back" | "next";
  name: string;
  disabled: boolean;
  onClick: () => void;
}

/** For pointers: the keyboard has its arrows already, so these are no tab stops. */
function Arrow({ side, name, disabled, onClick }: ArrowProps) {
  return (
    <button
      type="button"
      className={`row__arrow row__arrow--${side}`}
      tabIndex={-1}
      aria-label={name}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={side === "back" ? "left" : "right"} />
    </button>
  );
}

/** The keys, and the card that was last in hand when the viewer left. */
function useRowKeys(row: HomeRow, scroller: React.RefObject<HTMLUListElement | null>, returned?: boolean) {
  const ids = row.items.map((item) => item.title.id);
  const keys = useRoving(ids.length, () => {
    const kept = focusMemory.place(row.id);
    return keptIndex(ids, kept?.cardId, kept?.index ?? 0);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the row appears; later the viewer's own hand decides.
  useLayoutEffect(() => {
    const list = scroller.current;
    const place = focusMemory.place(row.id);
    if (!list || !place) return;
    list.scrollLeft = place.scroll;
    if (returned && focusMemory.takeReturn(row.id)) keys.focus(keys.active);
  }, []);

  return {
    ...keys,
    open(index: number) {
      focusMemory.remember(row.id, { cardId: ids[index] ?? "", index, scroll: scroller.current?.scrollLeft ?? 0 });
      focusMemory.leave(row.id);
    },
  };
}

/** Whether the row stands at its start or end, for the arrow buttons. */
function useEdges(scroller: React.RefObject<HTMLUListElement | null>, count: number) {
  const [edges, setEdges] = useState({ start: true, end: false });
  const measure = useCallback(() => {
    const list = scroller.current;
    if (!list) return;
    const at = Math.abs(list.scrollLeft);
    const start = at < 4;
    const end = at + list.clientWidth >= list.scrollWidth - 4;
    setEdges((old) => (old.start === start && old.end === end ? old : { start, end }));
  }, [scroller]);
  useEffect(() => {
    const list = scroller.current;
    if (!list || count === 0) return;
    const observer = new ResizeObserver(measure);
    observer.observe(list);
    list.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      list.removeEventListener("scroll", measure);
    };
  }, [measure, scroller, count]);
  return edges;
}

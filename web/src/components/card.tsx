/** One title in a row or a grid: its poster, a link to its page, and on hover or focus the things to do with it. */
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import type { Card as CardData, Reason } from "@/api/types";
import { percent, timeLeft } from "@/lib/format";
import { strings } from "@/strings";
import { Artwork } from "./artwork";
import { CardActions, CardSheet } from "./card-actions";
import { Icon } from "./icons";

interface CardProps {
  card: CardData;
  reason?: Reason | null;
  wide?: boolean;
  rank?: number;
  eager?: boolean;
  /** -1 inside a row, for all but the card that holds the row's tab stop. */
  tabIndex?: number;
  onOpen?: () => void;
  linkRef?: (element: HTMLAnchorElement | null) => void;
  children?: ReactNode;
}

export function Card({ card, reason, wide, rank, eager, tabIndex = 0, onOpen, linkRef, children }: CardProps) {
  const article = useRef<HTMLElement>(null);
  const [sheet, setSheet] = useState(false);
  const link = useRef<HTMLAnchorElement | null>(null);
  const backToLink = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "Escape") return;
    event.preventDefault();
    link.current?.focus();
  };
  const to = wide && card.playable ? "/watch/$id" : "/title/$id";
  return (
    <article className={wide ? "card card--wide" : "card"} ref={article} data-rank={rank}>
      {rank !== undefined && (
        <span className="card__rank" aria-hidden="true" data-digits={String(rank).length}>
          {rank}
        </span>
      )}
      <div className="card__frame">
        <Link
          to={to}
          params={{ id: card.id }}
          className="card__link"
          data-title={card.id}
          tabIndex={tabIndex}
          onClick={onOpen}
          aria-label={labelOf(card, rank)}
          ref={(element: HTMLAnchorElement | null) => {
            link.current = element;
            linkRef?.(element);
          }}
        >
          <Artwork src={wide ? card.backdrop_url : card.poster_url} wide={wide} eager={eager} />
          {wide && (
            <span className="card__play" aria-hidden="true">
              <Icon name="play" />
            </span>
          )}
        </Link>
        {card.progress && (
          <span className="card__progress bar" aria-hidden="true">
            <span style={{ inlineSize: percent(card.progress.fraction) }} />
          </span>
        )}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys only move between the buttons inside. */}
        <div className="card__overlay" onKeyDown={backToLink}>
          {!wide && <p className="card__name">{card.name}</p>}
          <CardActions card={card} reason={reason} tabIndex={-1} />
        </div>
        <button
          type="button"
          className="card__dots"
          tabIndex={-1}
          aria-label={strings.card.actions(card.name)}
          onClick={() => setSheet(true)}
        >
          <Icon name="dots" />
        </button>
      </div>
      {wide && (
        <div className="card__caption">
          <p className="card__title">{card.name}</p>
          {card.progress && <p className="muted small">{strings.home.timeLeft(timeLeft(card.progress))}</p>}
        </div>
      )}
      {children}
      {sheet && <CardSheet card={card} reason={reason} onClose={() => setSheet(false)} />}
    </article>
  );
}

function labelOf(card: CardData, rank?: number): string {
  const name = card.year == null ? card.name : `${card.name} (${card.year})`;
  const place = rank === undefined ? name : strings.home.rank(rank, name);
  return card.progress ? `${place}, ${strings.home.timeLeft(timeLeft(card.progress))}` : place;
}

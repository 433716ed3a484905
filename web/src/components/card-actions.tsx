/** What can be done with a title without leaving the page: play, list, like, dislike, ask why. */
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { useDislike, useMyList, useRate } from "@/api/opinions";
import type { Card, Reason } from "@/api/types";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { Dialog } from "./dialog";
import { Facts } from "./facts";
import { Icon, type IconName } from "./icons";
import { ReasonText } from "./reason";
import { heirOf } from "./roving";

interface ActionsProps {
  card: Card;
  reason?: Reason | null;
  tabIndex?: number;
}

function useCardActions(card: Card) {
  const rate = useRate(card);
  const dislike = useDislike(card);
  const list = useMyList(card);
  const liked = card.my_rating?.like === true;
  const listed = card.in_my_list;
  return {
    liked,
    listed,
    like() {
      rate.mutate(liked ? null : { like: true });
      if (!liked) showToast(strings.card.liked(card.name));
    },
    dislike: () => dislike.mutate(),
    toggleList: () => list.mutate(!listed),
  };
}

/** Left and right between the buttons, as inside the row. */
function moveBetween(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("a, button")];
  const at = all.indexOf(document.activeElement as HTMLElement);
  event.preventDefault();
  event.stopPropagation();
  all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
}

/** Who uses keys goes on beside a card that leaves the page, instead of at the page's beginning. */
function useHeir(titleId: string) {
  const heir = useRef<HTMLElement | null>(null);
  useEffect(
    () => () => {
      if (heir.current?.isConnected && document.activeElement === document.body) heir.current.focus();
    },
    [],
  );
  return (event: MouseEvent<HTMLElement>) => {
    const pressedByKey = event.detail === 0;
    const link = event.currentTarget.closest(".card")?.querySelector<HTMLElement>(".card__link");
    heir.current = pressedByKey && link ? heirOf(link, titleId) : null;
  };
}

export function CardActions({ card, reason, tabIndex }: ActionsProps) {
  const words = strings.card;
  const actions = useCardActions(card);
  const [why, setWhy] = useState(false);
  const bequeath = useHeir(card.id);
  return (
    <>
      {why && (
        <p className="card__why" role="status">
          {reason ? <ReasonText reason={reason} tabIndex={tabIndex} /> : words.noReason}
        </p>
      )}
      <div
        className="card__actions"
        role="toolbar"
        tabIndex={-1}
        aria-label={words.actions(card.name)}
        onKeyDown={moveBetween}
      >
        {card.playable && (
          <Link
            to="/watch/$id"
            params={{ id: card.id }}
            className="round round--primary"
            tabIndex={tabIndex}
            aria-label={words.play(card.name)}
            title={words.shortPlay}
          >
            <Icon name="play" />
          </Link>
        )}
        <Round
          icon={actions.listed ? "check" : "plus"}
          name={actions.listed ? words.listRemove(card.name) : words.listAdd(card.name)}
          title={words.shortList}
          pressed={actions.listed}
          tabIndex={tabIndex}
          onClick={actions.toggleList}
        />
        <Round
          icon="like"
          name={words.like(card.name)}
          title={words.shortLike}
          pressed={actions.liked}
          tabIndex={tabIndex}
          onClick={actions.like}
        />
        <Round
          icon="dislike"
          name={words.dislike(card.name)}
          title={words.shortDislike}
          tabIndex={tabIndex}
          onClick={(event) => {
            bequeath(event);
            actions.dislike();
          }}
        />
        <Round
          icon="why"
          name={words.why(card.name)}
          title={words.shortWhy}
          pressed={why}
          tabIndex={tabIndex}
          onClick={() => setWhy(!why)}
        />
      </div>
    </>
  );
}

interface RoundProps {
  icon: IconName;
  name: string;
  title: string;
  pressed?: boolean;
  tabIndex?: number;
  onClick: (event: MouseEvent<HTMLElement>) => void;
}

function Round({ icon, name, title, pressed, tabIndex, onClick }: RoundProps) {
  return (
    <button
      type="button"
      className="round"
      aria-label={name}
      title={title}
      aria-pressed={pressed}
      tabIndex={tabIndex}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** The same actions with their words, for fingers. */
export function CardSheet({ card, reason, onClose }: ActionsProps & { onClose: () => void }) {
  const words = strings.card;
  const actions = useCardActions(card);
  const then = (act: () => void) => () => {
    act();
    onClose();
  };
  return (
    <Dialog title={card.name} onClose={onClose} sheet>
      <Facts title={card} />
      {reason && (
        <p className="muted">
          <ReasonText reason={reason} />
        </p>
      )}
      <div className="sheet">
        {card.playable && (
          <Link to="/watch/$id" params={{ id: card.id }} className="sheet__item">
            <Icon name="play" /> {words.shortPlay}
          </Link>
        )}
        <Link to="/title/$id" params={{ id: card.id }} className="sheet__item">
          <Icon name="info" /> {words.shortDetails}
        </Link>
        <button type="button" className="sheet__item" onClick={then(actions.toggleList)}>
          <Icon name={actions.listed ? "check" : "plus"} /> {actions.listed ? words.shortListOn : words.shortList}
        </button>
        <button type="button" className="sheet__item" aria-pressed={actions.liked} onClick={then(actions.like)}>
          <Icon name="like" /> {words.shortLike}
        </button>
        <button type="button" className="sheet__item" onClick={then(actions.dislike)}>
          <Icon name="dislike" /> {words.shortDislike}
        </button>
      </div>
    </Dialog>
  );
}

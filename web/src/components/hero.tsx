/** The head of the home page: one title, one honest line why, and the ways in. */
import { Link } from "@tanstack/react-router";
import { useMyList } from "@/api/opinions";
import type { Hero as HeroData } from "@/api/types";
import { timeLeft } from "@/lib/format";
import { strings } from "@/strings";
import { Scene } from "./artwork";
import { Facts } from "./facts";
import { Icon } from "./icons";
import { ReasonText } from "./reason";

export function Hero({ hero }: { hero: HeroData }) {
  const { title, reason, description } = hero;
  const list = useMyList(title);
  const listed = title.in_my_list;
  return (
    <section className="hero" aria-label={title.name}>
      <Scene src={title.backdrop_url} />
      <div className="hero__words">
        <p className="hero__kicker">{strings.home.heroKicker}</p>
        <h2>{title.name}</h2>
        <Facts title={title} />
        {description && <p className="hero__text">{description}</p>}
        {reason && (
          <p className="hero__why">
            <Icon name="why" />
            <span>
              <ReasonText reason={reason} />
            </span>
          </p>
        )}
        <div className="hero__actions">
          {title.playable && (
            <Link to="/watch/$id" params={{ id: title.id }} className="button button--primary">
              <Icon name="play" />
              {title.progress
                ? `${strings.home.resume}, ${strings.home.timeLeft(timeLeft(title.progress))}`
                : strings.home.play}
            </Link>
          )}
          <Link
            to="/title/$id"
            params={{ id: title.id }}
            className={title.playable ? "button" : "button button--primary"}
            aria-label={strings.home.moreAbout(title.name)}
          >
            <Icon name="info" />
            {strings.home.more}
          </Link>
          <button type="button" className="button" aria-pressed={listed} onClick={() => list.mutate(!listed)}>
            <Icon name={listed ? "check" : "plus"} />
            {strings.title.listAdd}
          </button>
        </div>
      </div>
    </section>
  );
}

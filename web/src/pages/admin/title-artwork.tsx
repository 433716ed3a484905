/** The two pictures of a title: another is sent, or the drawn one comes back, at once and without the rest of the form. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, useState } from "react";
import { type ArtworkShape, drawArtwork, sendArtwork } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import type { AdminTitle } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { FormError } from "@/components/field";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.titles.artwork;
const PICTURE_BYTES_MAX = 5_000_000;

export function TitleArtwork({ title }: { title: AdminTitle }) {
  const [shown, setShown] = useState(title);
  return (
    <fieldset className="field">
      <legend className="field__label">{words.title}</legend>
      <p className="field__hint">{words.hint}</p>
      <div className="pictures">
        <Picture title={shown} shape="poster" onChanged={setShown} />
        <Picture title={shown} shape="backdrop" onChanged={setShown} />
      </div>
    </fieldset>
  );
}

interface PictureProps {
  title: AdminTitle;
  shape: ArtworkShape;
  onChanged: (title: AdminTitle) => void;
}

function Picture({ title, shape, onChanged }: PictureProps) {
  const client = useQueryClient();
  const wide = shape === "backdrop";
  const source = wide ? title.backdrop_url : title.poster_url;
  const change = useMutation({
    mutationFn: (picture: File | undefined) => {
      if (!picture) return drawArtwork(title.id, shape);
      if (picture.size > PICTURE_BYTES_MAX) throw new Problem(413, "too_large", words.tooLarge);
      return sendArtwork(title.id, shape, picture);
    },
    onSuccess: (changed) => {
      onChanged(changed);
      void client.invalidateQueries({ queryKey: ["admin-titles"] });
      void client.invalidateQueries({ queryKey: ["title", title.id] });
    },
  });
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const [picture] = event.target.files ?? [];
    event.target.value = "";
    if (picture) change.mutate(picture);
  };
  return (
    <div className="picture">
      <Artwork key={source} src={source} wide={wide} />
      <div className="chips">
        <label className="button button--small picture__choose">
          {words.choose[shape]}
          <input type="file" accept="image/png,image/jpeg,image/webp" onChange={choose} disabled={change.isPending} />
        </label>
        <button
          type="button"
          className="button button--small"
          disabled={change.isPending}
          onClick={() => change.mutate(undefined)}
        >
          {words.draw[shape]}
        </button>
      </div>
      <p role="status" className="muted small">
        {change.isSuccess ? words.changed : ""}
      </p>
      <FormError>{change.error ? change.error.message || strings.states.errorLead : null}</FormError>
    </div>
  );
}

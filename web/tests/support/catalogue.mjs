/** The titles of the fixture server: old films whose names and years are facts, with art drawn from them. */

const FILMS = `The Kid Brother|1927|Comedy,Romance
Nosferatu|1922|Horror
Metropolis|1927|Sci-Fi,Drama
The General|1926|Comedy,Action
Sunrise: A Song of Two Humans|1927|Drama,Romance
The Cabinet of Dr. Caligari|1920|Horror,Mystery
City Lights|1931|Comedy,Romance
M|1931|Crime,Thriller
The Passion of Joan of Arc|1928|Drama
Safety Last!|1923|Comedy
Häxan|1922|Horror,Documentary
The Gold Rush|1925|Comedy,Adventure
Battleship Potemkin|1925|Drama,War
The Phantom of the Opera|1925|Horror,Musical
The Thief of Bagdad|1924|Adventure,Fantasy
Man with a Movie Camera|1929|Documentary
Steamboat Bill, Jr.|1928|Comedy
The Crowd|1928|Drama
Wings|1927|War,Romance
The Lost World|1925|Adventure,Sci-Fi
Pandora's Box|1929|Drama,Crime
A Trip to the Moon|1902|Sci-Fi,Fantasy
The Great Train Robbery|1903|Western,Crime
Intolerance|1916|Drama
Sherlock Jr.|1924|Comedy,Mystery
The Adventures of Prince Achmed|1926|Animation,Fantasy
Gertie the Dinosaur|1914|Animation
The Wind|1928|Drama,Western
Greed|1924|Drama,Western
Faust|1926|Fantasy,Horror
The Last Laugh|1924|Drama
Foolish Wives|1922|Drama,Thriller
Vampyr|1932|Horror
Frankenstein|1931|Horror,Sci-Fi
The Public Enemy|1931|Crime
Duck Soup|1933|Comedy,Musical
It Happened One Night|1934|Comedy,Romance
The Thin Man|1934|Comedy,Mystery
Top Hat|1935|Musical,Romance
The 39 Steps|1935|Thriller,Mystery
Modern Times|1936|Comedy
Bringing Up Baby|1938|Comedy
The Lady Vanishes|1938|Thriller,Mystery
Stagecoach|1939|Western
His Girl Friday|1940|Comedy,Romance
The Maltese Falcon|1941|Film-Noir,Mystery
Detour|1945|Film-Noir,Crime
The Stranger|1946|Film-Noir,Thriller
D.O.A.|1950|Film-Noir,Thriller
Night of the Living Dead|1968|Horror
Le Voyage imaginaire et fabuleux de la comtesse de Montségur aux confins du monde|1926|Fantasy
Amélie de l'Opéra|1933|Romance,Musical`;

export const cards = FILMS.split("\n").map((line, index) => {
  const [name, year, genres] = line.split("|");
  return {
    id: `t${index + 1}`,
    name,
    year: Number(year),
    kind: index === 15 ? "series" : "film",
    genres: genres.split(","),
    poster_url: `/art/t${index + 1}/1/poster`,
    backdrop_url: `/art/t${index + 1}/1/backdrop`,
    average_rating: 3 + ((index * 37) % 19) / 10,
    ratings_count: 12 + ((index * 811) % 4200),
    maturity: [0, 7, 12, 16, 18][index % 5],
    playable: index % 4 !== 3,
    duration_s: 4200 + (index % 9) * 480,
    in_my_list: index % 11 === 0,
    progress: null,
    my_rating: null,
  };
});

export const cardById = (id) => cards.find((card) => card.id === id);

const HUES = {
  Comedy: 42,
  Horror: 4,
  "Sci-Fi": 210,
  Drama: 24,
  Romance: 340,
  Crime: 260,
  Thriller: 190,
  Western: 28,
  Mystery: 275,
  Documentary: 150,
  War: 80,
  Adventure: 130,
  Fantasy: 290,
  Animation: 170,
  Musical: 320,
  Action: 12,
  "Film-Noir": 220,
};

/** Simple shapes in the genre's colours: enough to judge a page by, no more. */
export function artwork(card, wide) {
  const [width, height] = wide ? [1600, 900] : [400, 600];
  const hue = (HUES[card.genres[0]] ?? 30) + ((card.year * 7) % 24) - 12;
  const seed = Number(card.id.slice(1));
  const shapes = Array.from({ length: 7 }, (_, at) => {
    const x = (seed * 97 + at * 211) % width;
    const y = (seed * 53 + at * 137) % height;
    const size = width * (0.12 + ((seed + at * 5) % 9) / 22);
    return seed % 3 === 0
      ? `<circle cx="${x}" cy="${y}" r="${size / 2}" fill="hsl(${hue + at * 6} 60% ${30 + at * 5}%)" opacity=".55"/>`
      : `<rect x="${x - size / 2}" y="${y - size}" width="${size / (seed % 3)}" height="${size * 2}" transform="rotate(${(seed * 31 + at * 23) % 180} ${x} ${y})" fill="hsl(${hue + at * 6} 55% ${28 + at * 5}%)" opacity=".55"/>`;
  }).join("");
  const words = card.name.split(" ");
  const lines = words.reduce((all, word) => {
    const last = all.at(-1);
    if (last && `${last} ${word}`.length <= 12) all[all.length - 1] = `${last} ${word}`;
    else all.push(word);
    return all;
  }, []);
  const longest = Math.max(...lines.map((line) => line.length));
  const size = Math.min(62, 620 / Math.max(longest, 6), 330 / lines.length);
  const text = wide
    ? ""
    : lines
        .map(
          (line, at) =>
            `<text x="32" y="${560 - (lines.length - at) * size * 1.06}" font-size="${size}" font-family="Fraunces,Georgia,serif" font-weight="700" fill="#f7eedd">${line.replace(/&/g, "&amp;")}</text>`,
        )
        .join("");
  const year = wide
    ? ""
    : `<path d="M32 552h336" stroke="#f7eedd" opacity=".6"/><text x="32" y="578" font-size="18" font-family="Inter,sans-serif" fill="#f7eedd" opacity=".85">${card.year}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="hsl(${hue} 45% 16%)"/>${shapes}<rect width="${width}" height="${height}" fill="#0f0e0c" opacity="${wide ? 0.1 : 0.25}"/>${text}${year}</svg>`;
}

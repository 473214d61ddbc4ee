//! Opens a recording in the terminal UI: `view FILE [en|zh] [ascii]`.

use bytehop_core::event::Only;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("a recording")?;
    let mut options = tui::Options::from_env(None, None);
    for arg in args {
        match arg.as_str() {
            "ascii" => options.ascii = true,
            lang => options.lang = lang.parse()?,
        }
    }
    Ok(tui::view(file.as_ref(), &Only::default(), &options)?)
}

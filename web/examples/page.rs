//! Writes a recording as a page: `page RECORDING FILE [en|zh]`.

use std::path::Path;

use tui::store::Store;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(file), Some(to)) = (args.first(), args.get(1)) else {
        return Err("page RECORDING FILE [en|zh]".into());
    };
    let lang = args.get(2).map_or(Ok(Default::default()), |l| l.parse())?;
    let summary = Store::open(Path::new(file))?.summary;
    let page = bytehop_web::page::page(&std::fs::read(file)?, &summary, lang);
    Ok(std::fs::write(to, page)?)
}

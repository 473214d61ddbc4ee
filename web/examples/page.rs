//! Writes a recording as a page: `page RECORDING FILE [en|zh]`.

use std::path::Path;

use bytehop_core::arch::Arch;
use bytehop_core::reconstruct::summarise;
use bytehop_core::record::open_events;
use bytehop_core::report::export::Folded;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(file), Some(to)) = (args.first(), args.get(1)) else {
        return Err("page RECORDING FILE [en|zh]".into());
    };
    let lang = args.get(2).map_or(Ok(Default::default()), |l| l.parse())?;
    let mut stacks = Folded::default();
    let summary = summarise(open_events(Path::new(file))?, Arch::X86_64, &mut stacks);
    let page = bytehop_web::page::page(&std::fs::read(file)?, &summary, &stacks, lang);
    Ok(std::fs::write(to, page)?)
}

//! Source lines of a recording, looked up later and elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bytehop_core::event::{Frame, Source};
use bytehop_core::modules::Module;

use crate::debuginfod::Debuginfod;
use crate::identity::Identity;
use crate::lines::{Lines, own};
use crate::search::{Search, Wanted};

/// Looks for the debug information of modules without lines in these folders, then at the servers that the
/// environment names, and gives stacks the lines that are found. A build without an id cannot be told from another.
pub fn again(
    sources: &mut HashMap<u64, Source>,
    modules: &mut BTreeMap<u32, Module>,
    dirs: &[PathBuf],
) {
    let mut search = Search {
        dirs: dirs.to_vec(),
        system: false,
        server: Debuginfod::from_env(),
    };
    let mut found = HashMap::new();
    for (id, module) in modules.iter_mut() {
        if !module.lines.is_empty() {
            continue;
        }
        let identity = Identity {
            build_id: module.build_id.clone(),
            ..Identity::default()
        };
        let place = search.find(&Wanted {
            name: Path::new(&module.path),
            file: None,
            identity: &identity,
            roots: &[],
        });
        if place.lines.is_some() {
            module.lines.clone_from(&place.name);
            found.insert(*id, Lines::open(&place, None));
        }
        module.looked.extend(place.looked);
    }
    let has_lines = |source: &&mut Source| {
        source
            .frames
            .iter()
            .any(|frame| found.contains_key(&frame.of))
    };
    for source in sources.values_mut().filter(has_lines) {
        source.frames = frames(&source.frames, modules, &found);
        source.own = own(&source.frames);
    }
}

fn frames(
    before: &[Frame],
    modules: &BTreeMap<u32, Module>,
    found: &HashMap<u32, Lines>,
) -> Vec<Frame> {
    let mut frames = Vec::new();
    for frame in before {
        match (modules.get(&frame.of), found.get(&frame.of)) {
            (Some(module), Some(lines)) if frame.address > 0 => {
                lines.frames(module, frame.address, &mut frames);
            }
            // Was inlined at the address before, which has been looked up.
            (Some(_), Some(_)) => {}
            _ => frames.push(frame.clone()),
        }
    }
    frames
}

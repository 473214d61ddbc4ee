//! A lab of the course: its answers judged, its runs on the screen.

use super::{Course, PAGE, lang, say, show};

fn with<T: Default>(job: impl FnOnce(&mut Course) -> T) -> T {
    PAGE.with_borrow_mut(|page| page.course.as_mut().map(job).unwrap_or_default())
}

/// Opens the lab in `input`; 0, or 1 with the reason in `output`.
// SAFETY: no other function of the page has these names.
#[unsafe(no_mangle)]
extern "C" fn lab_open(in_lang: u32) -> u32 {
    let bytes = PAGE.with_borrow_mut(|page| std::mem::take(&mut page.input));
    match Course::open(&bytes, lang(in_lang)) {
        Ok(course) => {
            PAGE.with_borrow_mut(|page| page.course = Some(course));
            0
        }
        Err(why) => {
            say(why);
            1
        }
    }
}

/// Takes the answer in `input` to a question; 0, or 1 with what is wrong with it in `output`.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn lab_answer(question: u32) -> u32 {
    let text = PAGE.with_borrow_mut(|page| std::mem::take(&mut page.input));
    let text = String::from_utf8_lossy(&text);
    match with(|course| course.answer(question as usize, &text).err()) {
        Some(why) => {
            say(why);
            1
        }
        None => 0,
    }
}

/// `output`: how the answers did, in one line, and on the next ones why, as HTML.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn lab_explain() {
    say(with(|course| {
        format!("{}\n{}", course.told(), course.explain())
    }));
}

/// One hint more. `output`: a line with its number and how many there are, and the hint as HTML.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn lab_hint() {
    say(with(|course| {
        let (number, of, hint) = course.hint();
        format!("{number} {of}\n{hint}")
    }));
}

/// `output`: a solution and what it did, as HTML.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn lab_solution() {
    say(with(|course| course.solution()));
}

/// Opens the recording of a program (behind the last one: of the solution) as `open` does.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn lab_show(program: u32, in_lang: u32, in_theme: u32, columns: u16, rows: u16) -> u32 {
    let bytes = with(|course| course.recording(program as usize).map(<[u8]>::to_vec));
    match bytes {
        Some(bytes) => show(bytes.into(), in_lang, in_theme, (columns, rows)),
        None => 1,
    }
}

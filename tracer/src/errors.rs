//! What the system answered, in the reader's language.

use bytehop_core::i18n::Lang;
use bytehop_core::linux::error_words;
use nix::errno::Errno;

pub fn words(errno: Errno, lang: Lang) -> String {
    error_words(errno as i32, errno.desc(), lang)
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use crate::btf::BtfError;
    use crate::capture::CaptureError;
    use crate::elevate::ElevateError;
    use crate::launch::{LaunchError, Part};
    use crate::lent::Refused;
    use crate::limits::{Limit, Thing};
    use crate::load::LoadError;
    use crate::privileges::{DropError, Missing};
    use crate::share::ShareError;
    use crate::user::IdentityError;

    #[test]
    fn errors_speak_the_readers_language() {
        for texts in [
            BtfError::TEXTS,
            CaptureError::TEXTS,
            DropError::TEXTS,
            ElevateError::TEXTS,
            IdentityError::TEXTS,
            LaunchError::TEXTS,
            Limit::TEXTS,
            LoadError::TEXTS,
            Missing::TEXTS,
            Part::TEXTS,
            Refused::TEXTS,
            ShareError::TEXTS,
            Thing::TEXTS,
        ] {
            assert_eq!(problems(texts), [""; 0]);
        }
    }
}

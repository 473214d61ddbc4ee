//! Encryption for the lab that asks who has to touch the bytes: a stand-in for what a TLS library
//! does to its records in user mode, and the kernel's own TLS.
//!
//! **None of this is secure.** There is no handshake, the keys stand here for all to read, nothing is
//! authenticated, and the cipher is a generator of random numbers. It costs what a cipher costs: every
//! byte is read, and another is written.

use std::io::{Read, Result};
use std::net::{TcpListener, TcpStream};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::sockopt::{TcpTlsRx, TcpTlsTx, TcpUlp, TlsCryptoInfo};
use nix::sys::socket::{SetSockOpt, setsockopt};

use crate::checksum::Checksum;
use crate::process::{Child, in_child};
use crate::receive;

const TEST_KEY: u64 = 0x6279_7465_686f_7021;

/// A stream cipher: done twice, it gives back what there was. It counts bytes, so both ends must see
/// all of them, in order.
pub struct Cipher {
    at: u64,
    word: [u8; 8],
}

impl Cipher {
    /// At the start of a stream.
    pub fn new() -> Self {
        Self {
            at: 0,
            word: [0; 8],
        }
    }

    /// Encrypts or decrypts where the bytes are.
    pub fn in_place(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.next();
        }
    }

    /// Reads `from`, and writes the result to `to`, which is as long.
    pub fn from_to(&mut self, from: &[u8], to: &mut [u8]) {
        assert_eq!(from.len(), to.len(), "one byte for each");
        for (from, to) in from.iter().zip(to) {
            *to = from ^ self.next();
        }
    }

    fn next(&mut self) -> u8 {
        let i = (self.at % 8) as usize;
        if i == 0 {
            self.word = mixed(TEST_KEY.wrapping_add(self.at / 8)).to_le_bytes();
        }
        self.at += 1;
        self.word[i]
    }
}

impl Default for Cipher {
    fn default() -> Self {
        Self::new()
    }
}

/// The finishing step of the generator SplitMix64.
fn mixed(counter: u64) -> u64 {
    let z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A TCP connection to a child that decrypts what comes. It prints a checksum of the bytes as they
/// came, and another of what they were.
pub fn receiver() -> Result<(TcpStream, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let child = in_child(|| {
        let mut from = Decrypted {
            from: TcpStream::connect(address)?,
            cipher: Cipher::new(),
            came: Checksum::new(),
        };
        receive::to_the_end(&mut from)?;
        println!("on the way, checksum {}", from.came);
        Ok(())
    })?;
    Ok((listener.accept()?.0, child))
}

struct Decrypted {
    from: TcpStream,
    cipher: Cipher,
    came: Checksum,
}

impl Read for Decrypted {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let n = self.from.read(to)?;
        self.came.add(&to[..n]);
        self.cipher.in_place(&mut to[..n]);
        Ok(n)
    }
}

/// The same with the kernel's TLS at both ends: what is written to the connection is encrypted by the
/// kernel, and what the child reads has been decrypted by it.
pub fn kernel_receiver() -> Result<(TcpStream, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let theirs = TcpStream::connect(listener.local_addr()?)?;
    let ours = listener.accept()?.0;
    in_kernel(&ours, TcpTlsTx)?;
    in_kernel(&theirs, TcpTlsRx)?;
    let mut ours = Some(ours);
    let child = in_child(|| {
        ours = None; // the child's: while one is open, the connection has no end
        receive::to_the_end(&theirs)
    })?;
    let Some(ours) = ours else {
        unreachable!("only the child closed its own");
    };
    Ok((ours, child))
}

/// Hands one direction of a connection to the kernel's TLS. A library does that after the handshake,
/// with the keys that the two ends have agreed upon.
fn in_kernel(
    socket: &TcpStream,
    direction: impl SetSockOpt<Val = TlsCryptoInfo>,
) -> nix::Result<()> {
    match setsockopt(socket, TcpUlp::default(), b"tls") {
        Err(Errno::ENOENT | Errno::ENOPROTOOPT | Errno::EOPNOTSUPP) => {
            crate::unavailable("this kernel has no TLS (its module `tls` is not loaded)")
        }
        other => other?,
    }
    let keys = libc::tls12_crypto_info_aes_gcm_128 {
        info: libc::tls_crypto_info {
            version: libc::TLS_1_2_VERSION,
            cipher_type: libc::TLS_CIPHER_AES_GCM_128,
        },
        iv: *b"a  test ",
        key: *b"key, not secret!",
        salt: *b"salt",
        rec_seq: [0; 8],
    };
    setsockopt(socket, direction, &TlsCryptoInfo::Aes128Gcm(keys))
}

#[cfg(test)]
mod tests {
    use super::Cipher;

    #[test]
    fn twice_is_what_there_was_in_whatever_pieces() {
        let plain: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut whole = vec![0; plain.len()];
        Cipher::new().from_to(&plain, &mut whole);
        assert!(plain.iter().zip(&whole).filter(|(a, b)| a == b).count() < 30);
        for cut in [1, 7, 8, 9, 63, 512] {
            let (mut there, mut back) = (Cipher::new(), Cipher::new());
            let mut bytes = plain.clone();
            bytes.chunks_mut(cut).for_each(|part| there.in_place(part));
            assert_eq!(bytes, whole, "{cut}");
            bytes.chunks_mut(17).for_each(|part| back.in_place(part));
            assert_eq!(bytes, plain, "{cut}");
        }
    }
}

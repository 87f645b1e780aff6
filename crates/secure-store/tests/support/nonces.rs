//! Every nonce that was ever handed to the flash, whether or not the power lasted for it.

use std::collections::HashMap;

use super::flash::Op;

const SEALED: u8 = 2;

#[derive(Default)]
pub struct Nonces {
    /// The entry of each nonce, header included.
    seen: HashMap<[u8; 12], Vec<u8>>,
}

impl Nonces {
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Takes the sealed entries out of what was programmed, as `docs/store-format.md` describes them.
    pub fn collect(&mut self, journal: &[Op]) {
        let mut run = (0, Vec::new());
        for op in journal {
            let Op::Program { offset, bytes } = op else {
                continue;
            };
            if *offset != run.0 + run.1.len() {
                self.collect_run(&run.1);
                run = (*offset, Vec::new());
            }
            run.1.extend(bytes);
        }
        self.collect_run(&run.1);
    }

    fn collect_run(&mut self, mut run: &[u8]) {
        if run.starts_with(b"SECSTORE") {
            return;
        }
        while let Some((header, rest)) = run.split_first_chunk::<16>() {
            let len = usize::from(u16::from_le_bytes([header[6], header[7]]));
            let (stored, _) = rest.split_at(len);
            if header[2] == SEALED {
                let nonce = *stored.first_chunk().unwrap();
                // What follows the tag is no ciphertext: it vouches for what else is in force.
                let entry = [&header[..12], &stored[..len - 16]].concat();
                let first = self.seen.entry(nonce).or_insert_with(|| entry.clone());
                assert_eq!(*first, entry, "one nonce with two texts");
            }
            run = &rest[len.next_multiple_of(16)..];
        }
        assert!(run.is_empty(), "what was programmed is not made of entries");
    }
}

//! The chunked transfer coding (RFC 9112 section 7.1), one byte of framing at a time.

use crate::response::ResponseError;

/// Bytes of chunk extensions and trailer fields, which are skipped, over a whole body.
const MAX_SKIPPED: u16 = 4096;

/// Where in the coding the next byte stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunked {
    state: State,
    skipped: u16,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The first hexadecimal digit of a size.
    Size,
    /// The digits after it.
    Digits(u64),
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// The start of a trailer line, or the CR of the last line.
    Trailer,
    TrailerField,
    TrailerLf,
    LastLf,
    End,
}

/// What the next bytes are.
pub(crate) enum Piece {
    /// One byte of framing.
    Framing,
    /// So many bytes of the body, fewer than the chunk has when the input is shorter.
    Data(usize),
    /// The body is complete; no byte was read.
    End,
}

impl Chunked {
    pub(crate) const START: Self = Self {
        state: State::Size,
        skipped: 0,
    };

    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.state, State::End)
    }

    pub(crate) fn next(&mut self, input: &[u8]) -> Result<Piece, ResponseError> {
        let Some(&byte) = input.first() else {
            return Ok(Piece::Framing);
        };
        if let State::Data(left) = self.state {
            let taken = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
            self.state = match left.saturating_sub(taken as u64) {
                0 => State::DataCr,
                left => State::Data(left),
            };
            return Ok(Piece::Data(taken));
        }
        self.state = match (self.state, byte) {
            (State::End, _) => return Ok(Piece::End),
            (State::Size, byte) => State::Digits(digit(0, byte)?),
            (State::Digits(size) | State::Extension(size), b'\r') => State::SizeLf(size),
            (State::Digits(size), b';' | b' ' | b'\t') => self.skip(State::Extension(size))?,
            (State::Digits(size), byte) => State::Digits(digit(size, byte)?),
            (State::Extension(size), b' '..=b'~' | b'\t' | 0x80..) => {
                self.skip(State::Extension(size))?
            }
            (State::SizeLf(0), b'\n') => State::Trailer,
            (State::SizeLf(size), b'\n') => State::Data(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::Trailer, b'\r') => State::LastLf,
            (State::TrailerField, b'\r') => State::TrailerLf,
            (State::Trailer | State::TrailerField, b' '..=b'~' | b'\t' | 0x80..) => {
                self.skip(State::TrailerField)?
            }
            (State::TrailerLf, b'\n') => State::Trailer,
            (State::LastLf, b'\n') => State::End,
            _ => return Err(ResponseError::Chunk),
        };
        Ok(Piece::Framing)
    }

    fn skip(&mut self, next: State) -> Result<State, ResponseError> {
        if self.skipped >= MAX_SKIPPED {
            return Err(ResponseError::Chunk);
        }
        self.skipped = self.skipped.saturating_add(1);
        Ok(next)
    }
}

fn digit(size: u64, byte: u8) -> Result<u64, ResponseError> {
    let digit = char::from(byte).to_digit(16).ok_or(ResponseError::Chunk)?;
    let size = size.checked_mul(16).ok_or(ResponseError::Chunk)?;
    Ok(size | u64::from(digit))
}

//! As much of the protocol buffers' encoding as what we write needs: time lines, counters for a collector.

/// A message being written.
#[derive(Default)]
pub struct Message(Vec<u8>);

impl Message {
    pub fn uint(mut self, field: u32, value: u64) -> Self {
        varint(u64::from(field) << 3, &mut self.0);
        varint(value, &mut self.0);
        self
    }

    /// Negative numbers take ten bytes, as `int64` does.
    pub fn int(self, field: u32, value: i64) -> Self {
        self.uint(field, value.cast_unsigned())
    }

    pub fn fixed64(mut self, field: u32, value: u64) -> Self {
        varint(u64::from(field) << 3 | 1, &mut self.0);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn text(mut self, field: u32, text: &str) -> Self {
        bytes(field, text.as_bytes(), &mut self.0);
        self
    }

    pub fn message(mut self, field: u32, message: &Message) -> Self {
        bytes(field, &message.0, &mut self.0);
        self
    }

    /// It by itself, as a body or a file.
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends it to `out` as a field of an outer message.
    pub fn finish(&self, field: u32, out: &mut Vec<u8>) {
        bytes(field, &self.0, out);
    }
}

fn bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    varint(u64::from(field) << 3 | 2, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_documented() {
        let inner = Message::default().text(2, "hi").int(1, -1);
        let outer = Message::default()
            .uint(1, 150)
            .fixed64(47, 1)
            .message(3, &inner);
        let mut out = Vec::new();
        outer.finish(1, &mut out);
        let expected = [
            &[0x0a, 30, 0x08, 0x96, 0x01][..],
            &[0xf9, 0x02, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0x1a, 15, 0x12, 2, b'h', b'i', 0x08],
            &[0xff; 9],
            &[0x01],
        ];
        assert_eq!(out, expected.concat());
    }
}

//! The picture to scan: the provisioning address as a QR code.
//!
//! It holds the secret. An address that fits no picture has none, and is still there as text.

use png::{BitDepth, ColorType, Encoder};
use qrcode::render::svg;
use qrcode::{Color, QrCode};

/// White modules around the picture, without which scanners do not find it.
const QUIET: usize = 4;

/// Pixels a module, each way.
const SCALE: usize = 6;

/// As SVG, a file of its own.
pub fn qr_svg(uri: &str) -> Option<String> {
    Some(QrCode::new(uri).ok()?.render::<svg::Color<'_>>().build())
}

/// As PNG: black and white, a bit a pixel.
pub fn qr_png(uri: &str) -> Option<Vec<u8>> {
    let code = QrCode::new(uri).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let side = (width + 2 * QUIET) * SCALE;
    let is_dark = |pixel: usize, row: usize| {
        let at = |place: usize| (place / SCALE).checked_sub(QUIET).filter(|at| *at < width);
        let module = at(row).zip(at(pixel)).and_then(|(y, x)| modules.get(y * width + x));
        module.is_some_and(|color| *color == Color::Dark)
    };
    let mut bits = Vec::with_capacity(side * side.div_ceil(8));
    for row in 0..side {
        for first in (0..side).step_by(8) {
            let byte = (first..first + 8)
                .fold(0, |byte, pixel| byte << 1 | u8::from(pixel < side && !is_dark(pixel, row)));
            bits.push(byte);
        }
    }
    write(u32::try_from(side).ok()?, &bits)
}

fn write(side: u32, bits: &[u8]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(bits).ok()?;
    writer.finish().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_white_around_its_corner_marks() {
        let uri = "otpauth://totp/vestibule:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let file = qr_png(uri).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut bits = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bits).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (ColorType::Grayscale, BitDepth::One));
        let is_white =
            |x: usize, y: usize| bits[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1;
        let edge = QUIET * SCALE;
        assert!(is_white(0, 0) && is_white(edge - 1, edge - 1) && !is_white(edge, edge));
        // The mark: seven modules dark, the second ring of it white.
        assert!(is_white(edge + SCALE, edge + SCALE) && !is_white(edge + 7 * SCALE - 1, edge));
        assert!(is_white(edge + 7 * SCALE, edge));
        assert!(qr_svg(uri).unwrap().contains("<svg"));
    }

    #[test]
    fn an_address_too_long_for_a_picture_has_none() {
        assert!(qr_png(&"x".repeat(4000)).is_none() && qr_svg(&"x".repeat(4000)).is_none());
    }
}

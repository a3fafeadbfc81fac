//! What one step sends.

use super::http;
use super::ruleset::{HttpRequest, Payload};
use super::scene::{Asking, Heard, Scene, bytes_of_hexadecimal};

/// The bytes of a `tcp-check send`; `None` where its format gives no hexadecimal text.
pub(super) fn payload(
    payload: &Payload,
    scene: &mut Scene,
    heard: Heard<'_>,
    asking: Asking<'_>,
) -> Option<Vec<u8>> {
    match payload {
        Payload::Bytes(bytes) => Some(bytes.clone()),
        Payload::Format(format) => Some(scene.text(format, heard, asking)),
        Payload::Hexadecimal(format) => bytes_of_hexadecimal(&scene.text(format, heard, asking)),
    }
}

/// The bytes of an HTTP request. `state` is what `send-state` tells the server.
pub(super) fn request(
    request: &HttpRequest,
    state: Option<&str>,
    scene: &mut Scene,
    heard: Heard<'_>,
    asking: Asking<'_>,
) -> Vec<u8> {
    let mut text = |format| {
        let text = scene.text(format, heard, asking);
        String::from_utf8_lossy(&text).into_owned()
    };
    let mut uri = text(&request.uri);
    if uri.is_empty() {
        // An expression without a value leaves the default (manual 4.2, `http-check send`).
        "/".clone_into(&mut uri);
    }
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .collect();
    let body = scene.text(&request.body, heard, asking);
    let mut bytes = Vec::new();
    let written = http::Written {
        method: &request.method,
        uri: &uri,
        version: &request.version,
        headers: &headers,
        body: &body,
        state: state.filter(|_| request.send_state),
    };
    written.write(&mut bytes);
    bytes
}

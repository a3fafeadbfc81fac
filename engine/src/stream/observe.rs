//! What traffic tells about a server's health (manual 5.2, `observe`).

use std::sync::atomic::Ordering;

use cfgparse::model::server::Observe;

use super::response::NoResponse;
use super::{Asked, Stream};
use crate::plan::ServerId;

/// One thing that happened with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Connected,
    NotConnected,
    /// With this status.
    Answered(u16),
    /// No valid answer, or none in time.
    NotAnswered,
}

impl Event {
    /// Whether it speaks for the server or against it; `None` where it says nothing to this
    /// observer.
    fn is_good(self, observe: Observe) -> Option<bool> {
        match (observe, self) {
            (_, Self::NotConnected) => Some(false),
            (Observe::Layer4, Self::Connected) => Some(true),
            (Observe::Layer7, Self::Answered(status)) => {
                Some(matches!(status, 100..=499 | 501 | 505))
            }
            (Observe::Layer7, Self::NotAnswered) => Some(false),
            _ => None,
        }
    }
}

/// Takes the end of the wait for a response into account.
pub fn answer(stream: &Stream<'_>, server: ServerId, missing: Option<&NoResponse>) {
    match missing {
        None => note(
            stream,
            server,
            Event::Answered(stream.exchange.response.status()),
        ),
        Some(NoResponse::Trouble(_, fault)) if !fault.is_clients() => {
            note(stream, server, Event::NotAnswered);
        }
        Some(_) => {}
    }
}

/// Takes an event into account; as many bad ones in a row as `error-limit` are told to control.
pub fn note(stream: &Stream<'_>, server: ServerId, event: Event) {
    let plan = stream.generation.plan().server(server);
    let Some(observe) = plan.observe else { return };
    let watch = &stream.generation.runtime.watches[server.index()];
    match event.is_good(observe) {
        // Nearly always 0 already: only looking keeps the cores apart.
        Some(true) if watch.errors_in_row.load(Ordering::Relaxed) != 0 => {
            watch.errors_in_row.store(0, Ordering::Relaxed);
        }
        Some(true) | None => {}
        Some(false) => {
            let errors = watch.errors_in_row.fetch_add(1, Ordering::Relaxed) + 1;
            if errors == plan.error_limit {
                watch.errors_in_row.store(0, Ordering::Relaxed);
                watch.observed_failures.fetch_add(1, Ordering::Relaxed);
                stream.local.control.ask(Asked::Observed(server));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Observe};

    #[test]
    fn each_layer_sees_its_own_events() {
        for (event, layer4, layer7) in [
            (Event::Connected, Some(true), None),
            (Event::NotConnected, Some(false), Some(false)),
            (Event::Answered(404), None, Some(true)),
            (Event::Answered(500), None, Some(false)),
            (Event::Answered(501), None, Some(true)),
            (Event::Answered(503), None, Some(false)),
            (Event::Answered(505), None, Some(true)),
            (Event::NotAnswered, None, Some(false)),
        ] {
            let found = [Observe::Layer4, Observe::Layer7].map(|layer| event.is_good(layer));
            assert_eq!(found, [layer4, layer7], "{event:?}");
        }
    }
}

//! Fields of MQTT's first packets, CONNECT and CONNACK (manual, 7.3.1 `mqtt_field_value`,
//! `mqtt_is_valid`; MQTT 3.1, 3.1.1 and 5.0).

use crate::sample::args::{Args, Kind, NONE, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::Str;

pub static ROWS: &[ConvertRow] = &[
    convert(
        "mqtt_field_value",
        spec(2, &[Str, Str]),
        Type::Bin,
        Type::Str,
        |v, a, _| {
            let (packet, field) = (packet(a.text(0)?)?, field(a.text(1)?)?);
            let text = match (packet, Message::parse(&v.into_data())?) {
                (Packet::Connect, Message::Connect(connect)) => connect.field(field)?,
                (Packet::Connack, Message::Connack(connack)) => connack.field(field)?,
                _ => return None,
            };
            Some(Value::text(text))
        },
    )
    .prepared(check),
    convert("mqtt_is_valid", NONE, Type::Bin, Type::Bool, |v, _, _| {
        Some(Value::Bool(Message::parse(&v.into_data()).is_some()))
    }),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    Connect,
    Connack,
}

fn packet(word: &[u8]) -> Option<Packet> {
    Some(match &word.to_ascii_lowercase()[..] {
        b"connect" | b"1" => Packet::Connect,
        b"connack" | b"2" => Packet::Connack,
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Flags,
    ProtocolName,
    ProtocolVersion,
    ClientId,
    WillTopic,
    WillPayload,
    Username,
    Password,
    Keepalive,
    ReasonCode,
    Property(u8),
}

fn field(word: &[u8]) -> Option<Field> {
    Some(match &word.to_ascii_lowercase()[..] {
        b"flags" => Field::Flags,
        b"protocol_name" => Field::ProtocolName,
        b"protocol_version" => Field::ProtocolVersion,
        b"client_identifier" => Field::ClientId,
        b"will_topic" => Field::WillTopic,
        b"will_payload" => Field::WillPayload,
        b"username" => Field::Username,
        b"password" => Field::Password,
        b"keepalive" => Field::Keepalive,
        b"reason_code" => Field::ReasonCode,
        number => Field::Property(std::str::from_utf8(number).ok()?.parse().ok()?),
    })
}

fn check(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let allowed = match (
        packet(args.text(0).unwrap_or_default()),
        field(args.text(1).unwrap_or_default()),
    ) {
        (Some(Packet::Connect), Some(Field::Property(id))) => {
            CONNECT.contains(&id) || WILL.contains(&id)
        }
        (Some(Packet::Connect), Some(field)) => field != Field::ReasonCode,
        (Some(Packet::Connack), Some(Field::Property(id))) => CONNACK.contains(&id),
        (Some(Packet::Connack), Some(field)) => matches!(
            field,
            Field::Flags | Field::ProtocolVersion | Field::ReasonCode
        ),
        _ => false,
    };
    if allowed {
        return Ok(());
    }
    Err(compiler.error(
        "unknown packet or field of MQTT",
        "write connect or connack, and a field or the number of a property that it has",
    ))
}

/// How a property's value is written (MQTT 5.0, 2.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Number(usize),
    Text,
    Pair,
}

fn form(property: u8) -> Option<Form> {
    Some(match property {
        1 | 23 | 25 | 36 | 37 | 40 | 41 | 42 => Form::Number(1),
        19 | 33 | 34 => Form::Number(2),
        2 | 17 | 24 | 39 => Form::Number(4),
        3 | 8 | 9 | 18 | 21 | 22 | 26 | 28 | 31 => Form::Text,
        38 => Form::Pair,
        _ => return None,
    })
}

const CONNECT: &[u8] = &[17, 21, 22, 23, 25, 33, 34, 38, 39];
/// The manual calls the delay interval 18.
const WILL: &[u8] = &[1, 2, 3, 8, 9, 18, 24, 38];
const CONNACK: &[u8] = &[
    17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42,
];

/// What is left of a packet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u32> {
        let taken = self.take(bytes)?;
        Some(taken.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number(2)?;
        self.take(length as usize)
    }

    /// A length of seven bits a byte, four bytes at most.
    fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }

    /// Properties, each of which must be one of `allowed`.
    fn properties(&mut self, allowed: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
        let length = self.length()?;
        let mut rest = Rest(self.take(length)?);
        let mut found = Vec::new();
        while !rest.0.is_empty() {
            let id = rest.byte().filter(|id| allowed.contains(id))?;
            let value = match form(id)? {
                Form::Number(bytes) => rest.number(bytes)?.to_string().into_bytes(),
                Form::Text => rest.text()?.to_vec(),
                Form::Pair => {
                    rest.text()?;
                    rest.text()?.to_vec()
                }
            };
            found.push((id, value));
        }
        Some(found)
    }
}

enum Message<'a> {
    Connect(Connect<'a>),
    Connack(Connack),
}

impl<'a> Message<'a> {
    fn parse(data: &'a [u8]) -> Option<Message<'a>> {
        let mut rest = Rest(data);
        let kind = rest.byte()?;
        let length = rest.length()?;
        let mut body = Rest(rest.take(length)?);
        let message = match kind {
            0x10 => Message::Connect(Connect::parse(&mut body)?),
            0x20 => Message::Connack(Connack::parse(&mut body)?),
            _ => return None,
        };
        body.0.is_empty().then_some(message)
    }
}

struct Connect<'a> {
    name: &'a [u8],
    version: u8,
    flags: u8,
    keepalive: u32,
    properties: Vec<(u8, Vec<u8>)>,
    client: &'a [u8],
    /// Topic and payload.
    will: Option<(&'a [u8], &'a [u8])>,
    username: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
}

impl<'a> Connect<'a> {
    fn parse(rest: &mut Rest<'a>) -> Option<Connect<'a>> {
        let (name, version, flags) = (rest.text()?, rest.byte()?, rest.byte()?);
        let is_known = matches!((name, version), (b"MQIsdp", 3) | (b"MQTT", 4 | 5));
        let (has_will, will_level) = (flags & 0x04 != 0, flags >> 3 & 3);
        let is_sound = flags & 1 == 0 && will_level < 3 && (has_will || flags & 0x38 == 0);
        // Before 5.0 a password needs a user.
        let has_user = flags & 0x80 != 0 || flags & 0x40 == 0 || version == 5;
        if !(is_known && is_sound && has_user) {
            return None;
        }
        let keepalive = rest.number(2)?;
        let mut properties = Vec::new();
        if version == 5 {
            properties = rest.properties(CONNECT)?;
        }
        let client = rest.text()?;
        let mut will = None;
        if has_will {
            if version == 5 {
                properties.extend(rest.properties(WILL)?);
            }
            will = Some((rest.text()?, rest.text()?));
        }
        let mut optional = |bit: u8| match flags & bit {
            0 => Some(None),
            _ => rest.text().map(Some),
        };
        Some(Connect {
            name,
            version,
            flags,
            keepalive,
            properties,
            client,
            will,
            username: optional(0x80)?,
            password: optional(0x40)?,
        })
    }

    fn field(&self, field: Field) -> Option<Vec<u8>> {
        Some(match field {
            Field::Flags => self.flags.to_string().into_bytes(),
            Field::ProtocolName => self.name.to_vec(),
            Field::ProtocolVersion => self.version.to_string().into_bytes(),
            Field::ClientId => self.client.to_vec(),
            Field::WillTopic => self.will?.0.to_vec(),
            Field::WillPayload => self.will?.1.to_vec(),
            Field::Username => self.username?.to_vec(),
            Field::Password => self.password?.to_vec(),
            Field::Keepalive => self.keepalive.to_string().into_bytes(),
            Field::Property(18) => property(&self.properties, 24)?,
            Field::Property(id) => property(&self.properties, id)?,
            Field::ReasonCode => return None,
        })
    }
}

struct Connack {
    version: u8,
    flags: u8,
    reason: u8,
    properties: Vec<(u8, Vec<u8>)>,
}

impl Connack {
    fn parse(rest: &mut Rest<'_>) -> Option<Connack> {
        let flags = rest.byte().filter(|flags| flags & 0xfe == 0)?;
        let reason = rest.byte()?;
        let is_5 = !rest.0.is_empty();
        Some(Connack {
            version: if is_5 { 5 } else { 4 },
            flags,
            reason,
            properties: if is_5 {
                rest.properties(CONNACK)?
            } else {
                Vec::new()
            },
        })
    }

    fn field(&self, field: Field) -> Option<Vec<u8>> {
        let number = match field {
            Field::Flags => self.flags,
            Field::ProtocolVersion => self.version,
            Field::ReasonCode => self.reason,
            Field::Property(id) => return property(&self.properties, id),
            _ => return None,
        };
        Some(number.to_string().into_bytes())
    }
}

fn property(all: &[(u8, Vec<u8>)], wanted: u8) -> Option<Vec<u8>> {
    let found = all.iter().find(|(id, _)| *id == wanted);
    found.map(|(_, value)| value.clone())
}

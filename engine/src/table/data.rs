//! What a table can store with a key, in the order in which `show table` prints it (manual, 11.1).

/// One kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Data {
    ServerId,
    Gpt0,
    Gpc0,
    Gpc0Rate,
    ConnCnt,
    ConnRate,
    ConnCur,
    SessCnt,
    SessRate,
    HttpReqCnt,
    HttpReqRate,
    HttpErrCnt,
    HttpErrRate,
    BytesInCnt,
    BytesInRate,
    BytesOutCnt,
    BytesOutRate,
    Gpc1,
    Gpc1Rate,
    ServerKey,
    HttpFailCnt,
    HttpFailRate,
    Gpt,
    Gpc,
    GpcRate,
    GlitchCnt,
    GlitchRate,
}

/// How a kind of data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Wraps at 32 bits.
    Count32,
    Count64,
    /// Events over a period.
    Rate,
    /// A text.
    Name,
}

const ROWS: &[(Data, &str, Shape)] = {
    use Data as D;
    use Shape::{Count32, Count64, Name, Rate};
    &[
        (D::ServerId, "server_id", Count32),
        (D::Gpt0, "gpt0", Count32),
        (D::Gpc0, "gpc0", Count32),
        (D::Gpc0Rate, "gpc0_rate", Rate),
        (D::ConnCnt, "conn_cnt", Count32),
        (D::ConnRate, "conn_rate", Rate),
        (D::ConnCur, "conn_cur", Count32),
        (D::SessCnt, "sess_cnt", Count32),
        (D::SessRate, "sess_rate", Rate),
        (D::HttpReqCnt, "http_req_cnt", Count32),
        (D::HttpReqRate, "http_req_rate", Rate),
        (D::HttpErrCnt, "http_err_cnt", Count32),
        (D::HttpErrRate, "http_err_rate", Rate),
        (D::BytesInCnt, "bytes_in_cnt", Count64),
        (D::BytesInRate, "bytes_in_rate", Rate),
        (D::BytesOutCnt, "bytes_out_cnt", Count64),
        (D::BytesOutRate, "bytes_out_rate", Rate),
        (D::Gpc1, "gpc1", Count32),
        (D::Gpc1Rate, "gpc1_rate", Rate),
        (D::ServerKey, "server_key", Name),
        (D::HttpFailCnt, "http_fail_cnt", Count32),
        (D::HttpFailRate, "http_fail_rate", Rate),
        (D::Gpt, "gpt", Count32),
        (D::Gpc, "gpc", Count32),
        (D::GpcRate, "gpc_rate", Rate),
        (D::GlitchCnt, "glitch_cnt", Count32),
        (D::GlitchRate, "glitch_rate", Rate),
    ]
};

impl Data {
    /// How many kinds there are.
    pub const KINDS: usize = ROWS.len();

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Data> {
        let row = ROWS.iter().find(|(_, known, _)| *known == name)?;
        Some(row.0)
    }

    /// As the configuration and the admin socket spell it.
    pub fn name(self) -> &'static str {
        ROWS[self as usize].1
    }

    pub fn shape(self) -> Shape {
        ROWS[self as usize].2
    }

    /// Kept as a numbered list: `gpc`, `gpt`, `gpc_rate`.
    pub fn is_array(self) -> bool {
        matches!(self, Data::Gpt | Data::Gpc | Data::GpcRate)
    }

    /// The array whose element stands for this kind where the kind itself is not stored, and which
    /// element (manual, 11.1, `gpc`, `gpt` and `gpc_rate`).
    pub fn in_array(self) -> Option<(Data, usize)> {
        Some(match self {
            Data::Gpt0 => (Data::Gpt, 0),
            Data::Gpc0 => (Data::Gpc, 0),
            Data::Gpc1 => (Data::Gpc, 1),
            Data::Gpc0Rate => (Data::GpcRate, 0),
            Data::Gpc1Rate => (Data::GpcRate, 1),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_kinds() {
        for (index, (data, name, _)) in ROWS.iter().enumerate() {
            assert_eq!(*data as usize, index, "{name}");
            assert_eq!(Data::parse(name), Some(*data));
            assert_eq!(data.name(), *name);
        }
        assert_eq!(Data::parse("nothing"), None);
    }
}

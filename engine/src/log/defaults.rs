//! The default formats (manual, 8.2.1 to 8.2.5).

use std::net::SocketAddr;

use crate::sample::{Clock, Cx};

use super::date::Date;

/// `option httplog` (manual, 8.2.3).
pub const HTTP_LOG_FORMAT: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

/// `option tcplog` (manual, 8.2.2).
pub const TCP_LOG_FORMAT: &str =
    "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";

/// `option tcplog clf` (manual, 8.2.2).
pub const TCP_CLF_LOG_FORMAT: &str = "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq \"\" \"\" ";

/// `option jsonlog` in `mode http`: the fields of `option httplog` by the manual's names (8.2.3).
pub const JSON_HTTP_LOG_FORMAT: &str = "%{+json}o%(client_ip)ci%(client_port)cp%(request_date)tr%(frontend_name)ft%(backend_name)b%(server_name)s%(TR)TR%(Tw)Tw%(Tc)Tc%(Tr)Tr%(Ta)Ta%(status_code)ST%(bytes_read)B%(captured_request_cookie)CC%(captured_response_cookie)CS%(termination_state)tsc%(actconn)ac%(feconn)fc%(beconn)bc%(srv_conn)sc%(retries)rc%(srv_queue)sq%(backend_queue)bq%(captured_request_headers)hrl%(captured_response_headers)hsl%(http_request)r";

/// `option jsonlog` in `mode tcp`: the fields of `option tcplog` (8.2.2).
pub const JSON_TCP_LOG_FORMAT: &str = "%{+json}o%(client_ip)ci%(client_port)cp%(accept_date)t%(frontend_name)ft%(backend_name)b%(server_name)s%(Tw)Tw%(Tc)Tc%(Tt)Tt%(bytes_read)B%(termination_state)ts%(actconn)ac%(feconn)fc%(beconn)bc%(srv_conn)sc%(retries)rc%(srv_queue)sq%(backend_queue)bq";

/// `option httpslog` (manual, 8.2.4).
pub const HTTPS_LOG_FORMAT: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc";

/// `option httplog clf` (manual, 8.2.3).
pub const CLF_LOG_FORMAT: &str = "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl";

/// The structured data of an RFC 5424 line where none is configured.
pub const DEFAULT_RFC5424_SD: &[u8] = b"-";

/// The line of a frontend without a format (manual, 8.2.1):
/// `Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)`.
pub fn write_connect_line(cx: &Cx<'_>, http: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Connect from ");
    write_endpoint(cx, cx.src(), out);
    out.extend_from_slice(b" to ");
    write_endpoint(cx, cx.dst(), out);
    out.extend_from_slice(b" (");
    out.extend_from_slice(cx.world.proxy_name(cx.session.frontend).as_bytes());
    out.extend_from_slice(if http { b"/HTTP)" } else { b"/TCP)" });
}

/// The line of a failed incoming connection (manual, 8.2.5).
pub fn write_error_line(cx: &Cx<'_>, message: &str, out: &mut Vec<u8>) {
    write_endpoint(cx, cx.src(), out);
    out.extend_from_slice(b" [");
    let Clock { utc_offset_s, .. } = cx.clock;
    Date::new(cx.session.accepted_us as i64, utc_offset_s).write_log(out);
    out.extend_from_slice(b"] ");
    out.extend_from_slice(cx.world.proxy_name(cx.session.frontend).as_bytes());
    out.push(b'/');
    match cx.world.listener_name(cx.session.listener) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_number(cx.world.listener_number(cx.session.listener), out),
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(message.as_bytes());
}

fn write_endpoint(cx: &Cx<'_>, endpoint: Option<SocketAddr>, out: &mut Vec<u8>) {
    if let Some(address) = endpoint {
        crate::sample::Value::ip(address.ip()).write_text(out);
        out.push(b':');
        write_number(u32::from(address.port()), out);
    } else {
        out.extend_from_slice(b"unix:");
        write_number(cx.world.listener_number(cx.session.listener), out);
    }
}

fn write_number(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

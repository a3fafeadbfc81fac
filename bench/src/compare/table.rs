//! Results as a table on the terminal.

use super::{CaseResult, Figures};

/// Prints one case; ratios refer to the subject called `reference`.
pub fn print(result: &CaseResult, reference: Option<&str>) {
    let base = result
        .subjects
        .iter()
        .find(|subject| Some(subject.name.as_str()) == reference);
    let base = base.map(|subject| subject.median);
    println!("{}", result.case);
    println!(
        "  {:<18} {:>10} {:>6} {:>10} {:>6} {:>8} {:>8} {:>8} {:>8} {:>7}",
        "subject",
        "CPU us/req",
        "ratio",
        "req/s",
        "ratio",
        "p50 us",
        "p99",
        "p99.9",
        "RSS MB",
        "errors"
    );
    for subject in &result.subjects {
        match &subject.failure {
            Some(failure) => println!("  {:<18} {}", subject.name, failure.trim()),
            None => println!(
                "  {:<18} {}",
                subject.name,
                line(&subject.median, base.as_ref())
            ),
        }
    }
}

fn line(figures: &Figures, base: Option<&Figures>) -> String {
    let ratio = |of: fn(&Figures) -> f64| {
        let base = base.map(of).filter(|base| *base > 0.0);
        base.map_or("-".to_owned(), |base| format!("{:.2}", of(figures) / base))
    };
    format!(
        "{:>10.2} {:>6} {:>10.0} {:>6} {:>8.0} {:>8.0} {:>8.0} {:>8.1} {:>7}",
        figures.cpu_us_per_request,
        ratio(|f| f.cpu_us_per_request),
        figures.requests_per_second,
        ratio(|f| f.requests_per_second),
        figures.p50_us,
        figures.p99_us,
        figures.p99_9_us,
        figures.resident_mb,
        figures.errors,
    )
}

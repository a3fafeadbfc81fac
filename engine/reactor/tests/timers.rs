//! Timers, events and mailboxes.

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use common::{Tasks, block_on, core};
use reactor::{Core, Post, Wait};

#[test]
fn many_timers_expire_in_order_and_never_early() {
    let core = core();
    let tasks = Tasks::default();
    let order = Rc::new(RefCell::new(Vec::new()));
    let done = core.event();
    for number in 0..500u64 {
        let (order, done, core) = (order.clone(), done.clone(), core.clone());
        let due = core.now_ms() + 1 + (number * 37) % 60;
        tasks.spawn(async move {
            let timer = core.timer();
            timer.set(due);
            timer.expired().await;
            assert!(core.now_ms() >= due);
            order.borrow_mut().push((core.now_ms(), due));
            done.notify();
        });
    }
    tasks.run(&core, async {
        while order.borrow().len() < 500 {
            done.wait().await;
        }
    });
    assert!(order.borrow().is_sorted_by_key(|(at, _)| *at));
}

#[test]
fn a_deadline_moves_both_ways_and_goes_away() {
    let core = core();
    block_on(&core, async {
        let begun = core.now_ms();
        let timer = core.timer();
        timer.set(begun + 5);
        timer.set(begun + 40);
        assert_eq!(timer.deadline_ms(), Some(begun + 40));
        timer.expired().await;
        assert!(core.now_ms() >= begun + 40, "later");
        let begun = core.now_ms();
        timer.set(begun + 60_000);
        timer.set(begun + 5);
        timer.expired().await;
        assert!(core.now_ms() < begun + 30_000, "earlier");
        timer.expired().await;
        timer.clear();
        assert_eq!(timer.deadline_ms(), None);
        let other = core.timer();
        other.set(core.now_ms() + 5);
        other.expired().await;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(timer.poll_expired(&mut context).is_pending());
        timer.set(0);
        assert!(
            timer.poll_expired(&mut context).is_ready(),
            "a past deadline is due at once"
        );
    });
}

#[test]
fn dropped_timers_leave_nothing_behind() {
    let core = core();
    for _ in 0..10_000 {
        core.timer().set_after(10_800_000);
    }
    let short = core.timer();
    short.set_after(2);
    block_on(&core, short.expired());
    drop(short);
    // Nothing is left to wake for: only mail can end this sleep.
    let (mailbox, post) = core.mailbox::<()>();
    let sender = thread::spawn(move || post.send(()));
    block_on(&core, mailbox.recv());
    sender.join().unwrap().unwrap();
}

#[test]
fn the_clock_stands_still_during_a_turn() {
    let core = core();
    core.turn(Wait::Poll);
    let (now, wall) = (core.now_us(), core.wall());
    thread::yield_now();
    assert_eq!((core.now_us(), core.wall()), (now, wall));
    core.turn(Wait::Poll);
    assert!(core.now_us() > now);
}

#[test]
fn events_reach_all_waiters_and_are_remembered_for_one() {
    let core = core();
    let tasks = Tasks::default();
    let event = core.event();
    event.notify();
    event.notify();
    block_on(&core, event.wait());
    let seen = Rc::new(RefCell::new(0));
    for _ in 0..3 {
        let (event, seen) = (event.clone(), seen.clone());
        tasks.spawn(async move {
            event.wait().await;
            *seen.borrow_mut() += 1;
        });
    }
    tasks.run(&core, async {
        common::pause(&core, 1).await;
        assert_eq!(*seen.borrow(), 0);
        event.notify();
        common::pause(&core, 1).await;
        assert_eq!(*seen.borrow(), 3);
    });
}

fn posts(core: &Core, threads: u64, each: u64) -> (reactor::Mailbox<u64>, Vec<mpsc::Sender<()>>) {
    let (mailbox, post) = core.mailbox::<u64>();
    let mut starters = Vec::new();
    for number in 0..threads {
        let post: Post<u64> = post.clone();
        let (start, started) = mpsc::channel();
        starters.push(start);
        thread::spawn(move || {
            started.recv().unwrap();
            for message in 0..each {
                post.send(number * each + message).unwrap();
                if message % 64 == 0 {
                    thread::yield_now();
                }
            }
        });
    }
    (mailbox, starters)
}

#[test]
fn mail_from_many_threads_is_complete_and_in_order() {
    const EACH: u64 = 5000;
    let core = core();
    let (mailbox, starters) = posts(&core, 4, EACH);
    for start in &starters {
        start.send(()).unwrap();
    }
    let mut next = [0; 4];
    block_on(&core, async {
        while let Some(message) = mailbox.recv().await {
            let (sender, number) = ((message / EACH) as usize, message % EACH);
            assert_eq!(number, next[sender]);
            next[sender] += 1;
        }
    });
    assert_eq!(next, [EACH; 4]);
}

#[test]
fn mail_to_a_dropped_mailbox_comes_back() {
    let core = core();
    let (mailbox, post) = core.mailbox::<String>();
    post.send("kept".into()).unwrap();
    assert_eq!(mailbox.try_recv().as_deref(), Some("kept"));
    drop(mailbox);
    assert_eq!(post.send("lost".into()), Err("lost".into()));
}

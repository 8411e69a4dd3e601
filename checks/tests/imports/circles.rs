//! Circles of a graph, but for a parent and its child.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Circles of `arrows`, short ones first, no arrow in two of them; each begins at its least node.
/// A parent and its child may import each other; nothing else may.
pub fn circles<N: Copy + Ord>(
    arrows: &BTreeMap<N, BTreeSet<N>>,
    parent: impl Fn(N) -> Option<N>,
) -> Vec<Vec<N>> {
    let mut all = BTreeSet::new();
    for (&from, targets) in arrows {
        for &to in targets {
            let family = parent(from) == Some(to) || parent(to) == Some(from);
            if let Some(mut circle) = path(arrows, to, from, family) {
                let nodes = circle.iter().enumerate();
                let (least, _) = nodes.min_by_key(|(_, node)| **node).unwrap();
                circle.rotate_left(least);
                all.insert((circle.len(), circle));
            }
        }
    }
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (_, circle) in all {
        if around(&circle).all(|arrow| !told.contains(&arrow)) {
            told.extend(around(&circle));
            found.push(circle);
        }
    }
    found
}

/// The arrows of a circle, the one back to its beginning last.
pub fn around<N: Copy>(circle: &[N]) -> impl Iterator<Item = (N, N)> {
    circle
        .iter()
        .copied()
        .zip(circle.iter().copied().cycle().skip(1))
}

/// The shortest path; with `detour` not the arrow between the two itself.
fn path<N: Copy + Ord>(
    arrows: &BTreeMap<N, BTreeSet<N>>,
    from: N,
    to: N,
    detour: bool,
) -> Option<Vec<N>> {
    let mut reached_by = BTreeMap::from([(from, from)]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        for &next in arrows.get(&node).into_iter().flatten() {
            if detour && node == from && next == to || reached_by.contains_key(&next) {
                continue;
            }
            reached_by.insert(next, node);
            queue.push_back(next);
        }
    }
    reached_by.get(&to)?;
    let mut path = vec![to];
    while *path.last()? != from {
        path.push(reached_by[path.last()?]);
    }
    path.reverse();
    Some(path)
}

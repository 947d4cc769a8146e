//! Emoji sequences that keep their joiners and selectors.
//!
//! A sequence that Unicode does not recommend for interchange is drawn as its
//! parts, just as if the joiner were not there, so only patterns of the
//! recommended list (`emoji-zwj-sequences.txt`, Emoji 15) are taken, and of
//! those the ones that a few lines can say.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';

/// Whether `cluster` is one emoji that needs its invisible parts.
pub(super) fn is_sequence(cluster: &str) -> bool {
    if !cluster.contains([JOINER, EMOJI_STYLE]) {
        return false;
    }
    let elements: Option<Vec<Element>> = cluster.split(JOINER).map(element).collect();
    elements.is_some_and(|elements| match elements.as_slice() {
        [_styled] => true,
        [('\u{1f468}' | '\u{1f469}' | '\u{1f9d1}', _), (object, None)] => is_profession(*object),
        [(person, _), ('\u{2640}' | '\u{2642}', None)] => is_role(*person),
        [('\u{1f3f3}', None), ('\u{1f308}' | '\u{26a7}', None)] // rainbow and transgender flag
        | [('\u{1f3f4}', None), ('\u{2620}', None)] // pirate flag
        | [('\u{2764}', None), ('\u{1f525}' | '\u{1fa79}', None)] // heart on fire, mending heart
        | [('\u{1f408}' | '\u{1f426}', None), ('\u{2b1b}', None)] // black cat, black bird
        | [('\u{1f415}', None), ('\u{1f9ba}', None)] // service dog
        | [('\u{1f43b}', None), ('\u{2744}', None)] => true, // polar bear
        family => is_family(family),
    })
}

/// A base, and its skin tone.
type Element = (char, Option<char>);

/// Reads `base`, `base U+FE0F` or `base tone`. A base that is narrow by itself needs one of the
/// two to be drawn as an emoji; on a wide one the selector changes nothing to be seen.
fn element(text: &str) -> Option<Element> {
    let mut chars = text.chars();
    let base = chars.next().filter(|c| !c.is_ascii())?;
    let is_narrow = base.width() == Some(1);
    match (chars.next(), chars.next()) {
        (None, None) if !is_narrow => Some((base, None)),
        (Some(EMOJI_STYLE), None) => {
            let styled: String = [base, EMOJI_STYLE].iter().collect();
            (is_narrow && styled.width() == 2).then_some((base, None))
        }
        (Some(tone @ '\u{1f3fb}'..='\u{1f3ff}'), None) => Some((base, Some(tone))),
        _ => None,
    }
}

fn is_profession(object: char) -> bool {
    const OBJECTS: &str = "⚕⚖✈🌾🍳🍼🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦯🦼🦽🦰🦱🦲🦳";
    OBJECTS.contains(object)
}

fn is_role(person: char) -> bool {
    const ROLES: &str = "🏃🏄🏊🏋🏌👮👯👰👱👳👷💁💂💆💇🕵🙅🙆🙇🙋🙍🙎🚣🚴🚵🚶🤦🤵🤷🤸🤹🤼🤽🤾\
                         🦸🦹🧍🧎🧏🧔🧖🧗🧘🧙🧚🧛🧜🧝🧞🧟⛹";
    ROLES.contains(person)
}

/// One or two parents, one or two children.
fn is_family(members: &[Element]) -> bool {
    let is_parent = |member: &&Element| matches!(member, ('\u{1f468}' | '\u{1f469}', None));
    let parents = members.iter().take_while(is_parent).count();
    let mut children = members.iter().skip(parents);
    (1..=2).contains(&parents)
        && (1..=2).contains(&children.len())
        && children.all(|child| matches!(child, ('\u{1f466}' | '\u{1f467}', None)))
}

//! Korean.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "ko",
    dir: "ltr",
    tags: &["ko"],
    network: Text {
        what: "허용되지 않은 동작입니다",
        help: "현재 사용 중인 네트워크에서 오는 요청은 받지 않습니다. VPN을 끄는 등 다른 연결로 시도해 주세요.",
    },
    app: Text {
        what: "이 서버에서 허용되지 않은 앱입니다",
        help: "다른 앱이나 이 서버의 웹사이트를 이용해 주세요.",
    },
    address: Text {
        what: "이 이메일 주소는 여기서 사용할 수 없습니다",
        help: "다른 이메일 서비스의 주소를 사용해 주세요.",
    },
    unreachable: Text {
        what: "존재하지 않는 이메일 주소인 것 같습니다",
        help: "오타가 없는지 확인하거나 다른 주소를 사용해 주세요.",
    },
    address_form: Text {
        what: "이 이메일 주소를 읽을 수 없습니다",
        help: "name@example.org처럼 가장 단순한 형태로 쓰거나 다른 주소를 사용해 주세요.",
    },
    request: Text {
        what: "요청을 읽을 수 없습니다",
        help: "뒤로 돌아가 페이지를 새로 고친 다음 다시 시도해 주세요. 앱을 사용 중이라면 업데이트해 주세요.",
    },
    try_again: Text {
        what: "지금은 이메일 서비스를 확인할 수 없습니다",
        help: "약 {wait} 후에 다시 시도해 주세요.",
    },
    spent: Text {
        what: "요청이 너무 많습니다",
        help: "약 {wait} 기다린 다음 다시 시도해 주세요.",
    },
    paused_mail: Text {
        what: "현재는 잘 알려진 이메일 제공업체만 사용할 수 있습니다",
        help: "그러한 업체의 주소를 사용하거나 약 {wait} 후에 다시 시도해 주세요.",
    },
    paused_app: Text {
        what: "이 앱을 통한 가입이 일시 중지되었습니다",
        help: "이 서버의 웹사이트에서 가입하거나 약 {wait} 후에 다시 시도해 주세요.",
    },
    paused: Text {
        what: "가입이 일시 중지되었습니다",
        help: "약 {wait} 후에 다시 시도해 주세요.",
    },
    appeal: "잘못된 것이라고 생각하시면 이 서버의 관리자에게 다음 참조 번호와 함께 연락해 주세요:",
    reference: "참조 번호",
    stop: ". ",
    minutes: "{n}분",
    hours: "{n}시간",
};

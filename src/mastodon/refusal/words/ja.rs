//! Japanese.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "ja",
    dir: "ltr",
    tags: &["ja"],
    network: Text {
        what: "この操作は許可されていません",
        help: "現在、お使いのネットワークからのリクエストは受け付けていません。VPNを使わないなど、別の接続でお試しください。",
    },
    app: Text {
        what: "このアプリはこのサーバーでは許可されていません",
        help: "別のアプリか、このサーバーのウェブサイトをお使いください。",
    },
    address: Text {
        what: "このメールアドレスはここでは使用できません",
        help: "別のメールプロバイダーのアドレスをお使いください。",
    },
    unreachable: Text {
        what: "このメールアドレスは存在しないようです",
        help: "入力間違いがないか確認するか、別のアドレスをお使いください。",
    },
    address_form: Text {
        what: "このメールアドレスを読み取れません",
        help: "name@example.org のような最も簡単な形で入力するか、別のアドレスをお使いください。",
    },
    request: Text {
        what: "このリクエストを読み取れませんでした",
        help: "前のページに戻り、再読み込みしてからもう一度お試しください。アプリをお使いの場合は更新してください。",
    },
    try_again: Text {
        what: "メールプロバイダーを現在確認できませんでした",
        help: "約{wait}後にもう一度お試しください。",
    },
    spent: Text {
        what: "リクエストが多すぎます",
        help: "約{wait}待ってから、もう一度お試しください。",
    },
    paused_mail: Text {
        what: "現在、よく知られたメールプロバイダーのみ受け付けています",
        help: "そのようなプロバイダーのアドレスを使うか、約{wait}後にもう一度お試しください。",
    },
    paused_app: Text {
        what: "このアプリからの登録は一時停止しています",
        help: "このサーバーのウェブサイトで登録するか、約{wait}後にもう一度お試しください。",
    },
    paused: Text {
        what: "登録は一時停止しています",
        help: "約{wait}後にもう一度お試しください。",
    },
    appeal: "誤りだと思われる場合は、このサーバーの管理者に次の照会番号を添えてご連絡ください：",
    reference: "照会番号",
    stop: "。",
    minutes: "{n}分",
    hours: "{n}時間",
};

//! Chinese in simplified characters.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "zh-Hans",
    dir: "ltr",
    tags: &["zh"],
    network: Text {
        what: "不允许此操作",
        help: "目前不接受来自您所在网络的请求。请换用其他连接，例如不使用 VPN。",
    },
    app: Text {
        what: "此服务器不允许使用该应用",
        help: "请使用其他应用，或使用此服务器的网站。",
    },
    address: Text {
        what: "此处不能使用该电子邮件地址",
        help: "请使用其他邮件服务商的地址。",
    },
    unreachable: Text {
        what: "该电子邮件地址似乎不存在",
        help: "请检查是否有输入错误，或使用其他地址。",
    },
    address_form: Text {
        what: "无法识别该电子邮件地址",
        help: "请用最简单的形式填写，例如 name@example.org，或使用其他地址。",
    },
    request: Text {
        what: "无法读取此请求",
        help: "请返回并重新加载页面，然后重试。如果您使用的是应用，请更新它。",
    },
    try_again: Text {
        what: "目前无法核实您的邮件服务商",
        help: "请在大约{wait}后重试。",
    },
    spent: Text {
        what: "请求过多",
        help: "请等待大约{wait}后重试。",
    },
    paused_mail: Text {
        what: "目前只接受知名的电子邮件服务商",
        help: "请使用其中一家的地址，或在大约{wait}后重试。",
    },
    paused_app: Text {
        what: "通过此应用的注册已暂停",
        help: "请在此服务器的网站上注册，或在大约{wait}后重试。",
    },
    paused: Text {
        what: "注册已暂停",
        help: "请在大约{wait}后重试。",
    },
    appeal: "如果您认为这是误判，请联系此服务器的管理员，并提供以下参考编号：",
    reference: "参考编号",
    stop: "。",
    minutes: "{n}分钟",
    hours: "{n}小时",
};

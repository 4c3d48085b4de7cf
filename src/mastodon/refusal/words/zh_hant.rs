//! Chinese in traditional characters.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "zh-Hant",
    dir: "ltr",
    tags: &["zh-hant", "zh-tw", "zh-hk", "zh-mo"],
    network: Text {
        what: "不允許此操作",
        help: "目前不接受來自您所在網路的請求。請改用其他連線，例如不使用 VPN。",
    },
    app: Text {
        what: "此伺服器不允許使用該應用程式",
        help: "請使用其他應用程式，或使用此伺服器的網站。",
    },
    address: Text {
        what: "此處無法使用該電子郵件地址",
        help: "請使用其他郵件服務商的地址。",
    },
    unreachable: Text {
        what: "該電子郵件地址似乎不存在",
        help: "請檢查是否有輸入錯誤，或使用其他地址。",
    },
    address_form: Text {
        what: "無法辨識該電子郵件地址",
        help: "請用最簡單的形式填寫，例如 name@example.org，或使用其他地址。",
    },
    request: Text {
        what: "無法讀取此請求",
        help: "請返回並重新載入頁面，然後再試一次。如果您使用的是應用程式，請更新它。",
    },
    try_again: Text {
        what: "目前無法查核您的郵件服務商",
        help: "請在大約{wait}後再試一次。",
    },
    spent: Text {
        what: "請求過多",
        help: "請等待大約{wait}後再試一次。",
    },
    paused_mail: Text {
        what: "目前只接受知名的電子郵件服務商",
        help: "請使用其中一家的地址，或在大約{wait}後再試一次。",
    },
    paused_app: Text {
        what: "透過此應用程式的註冊已暫停",
        help: "請在此伺服器的網站上註冊，或在大約{wait}後再試一次。",
    },
    paused: Text {
        what: "註冊已暫停",
        help: "請在大約{wait}後再試一次。",
    },
    appeal: "如果您認為這是誤判，請聯絡此伺服器的管理員，並提供以下參考編號：",
    reference: "參考編號",
    stop: "。",
    minutes: "{n}分鐘",
    hours: "{n}小時",
};

//! Turkish.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "tr",
    dir: "ltr",
    tags: &["tr"],
    network: Text {
        what: "Bu işleme izin verilmiyor",
        help: "Ağınızdan gelen istekler şu anda kabul edilmiyor. Lütfen başka bir bağlantı deneyin, örneğin VPN olmadan.",
    },
    app: Text {
        what: "Bu uygulamaya bu sunucuda izin verilmiyor",
        help: "Lütfen başka bir uygulama veya bu sunucunun web sitesini kullanın.",
    },
    address: Text {
        what: "Bu e-posta adresi burada kullanılamaz",
        help: "Lütfen başka bir e-posta sağlayıcısından bir adres kullanın.",
    },
    unreachable: Text {
        what: "Bu e-posta adresi yok gibi görünüyor",
        help: "Lütfen yazım hatası olup olmadığını denetleyin veya başka bir adres kullanın.",
    },
    address_form: Text {
        what: "Bu e-posta adresi okunamıyor",
        help: "Lütfen en yalın biçimiyle yazın, örneğin ad@example.org, veya başka bir adres kullanın.",
    },
    request: Text {
        what: "Bu istek okunamadı",
        help: "Lütfen geri dönün, sayfayı yenileyin ve yeniden deneyin. Uygulama kullanıyorsanız güncelleyin.",
    },
    try_again: Text {
        what: "E-posta sağlayıcınız şu anda denetlenemedi",
        help: "Lütfen yaklaşık {wait} sonra yeniden deneyin.",
    },
    spent: Text {
        what: "Çok fazla istek",
        help: "Lütfen yaklaşık {wait} bekleyip yeniden deneyin.",
    },
    paused_mail: Text {
        what: "Şu anda yalnızca bilinen e-posta sağlayıcıları kabul ediliyor",
        help: "Lütfen bunlardan birindeki bir adresi kullanın veya yaklaşık {wait} sonra yeniden deneyin.",
    },
    paused_app: Text {
        what: "Bu uygulama üzerinden kayıt durduruldu",
        help: "Lütfen bu sunucunun web sitesinden kaydolun veya yaklaşık {wait} sonra yeniden deneyin.",
    },
    paused: Text {
        what: "Kayıt durduruldu",
        help: "Lütfen yaklaşık {wait} sonra yeniden deneyin.",
    },
    appeal: "Bunun bir yanlışlık olduğunu düşünüyorsanız bu sunucunun yöneticilerine yazın ve şu başvuru numarasını bildirin:",
    reference: "başvuru numarası",
    stop: ". ",
    minutes: "{n} dk",
    hours: "{n} sa",
};

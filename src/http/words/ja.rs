//! Japanese.

use super::{
    Account, Answers, Authenticator, Demo, Enrol, Frame, Inputs, Links, Login, Logout, Paging,
    Password, Recovery, Refusals, Register, SecondFactor, Strength, Wait, Words,
};
use crate::crypto::Guess;
use crate::domain::PasswordWeakness;
use crate::types::NameError;

pub(super) static WORDS: Words = Words {
    frame: Frame {
        not_done: "完了できませんでした。",
        not_done_title: |title| format!("エラー：{title}"),
        signed_in: "サインインしました",
        labelled: |name, value| format!("{name}：{value}"),
        follow: "続ける",
        not_possible: "実行できません",
        not_available: "利用できません",
        try_again: "もう一度試す",
    },
    inputs: Inputs {
        username: "ユーザー名",
        password: "パスワード",
        current_password: "現在のパスワード",
        new_password: "新しいパスワード",
        password_again: "新しいパスワード（再入力）",
        code: "認証アプリのコード",
        reveal: ("表示", "パスワードを表示"),
        announces: "最後の数字を入力すると送信されます。",
        go_on: "次へ",
        confirm: "確認",
        start_over: "最初からやり直す",
        your_account: "アカウント",
    },
    login: Login {
        title: "サインイン",
        name: "ユーザー名またはメールアドレス",
        remember: "このデバイスでサインインしたままにする",
        button: "サインイン",
        register: "アカウントを作成",
    },
    second_factor: SecondFactor {
        title: "2要素認証",
        again: "続けるには、もう一度2要素認証を行ってください。",
        without: "認証アプリを使えない場合",
        recovery_code: "リカバリーコード",
        recovery_hint: "設定時に保管した10個のうちの1つです。それぞれ1回だけ使えます。",
        use_code: "このコードを使う",
    },
    password: Password {
        title: "新しいパスワードの設定",
        text: "続ける前に、新しいパスワードを設定してください。",
        own_title: "パスワードの変更",
        own_text: "ほかのデバイスでは、もう一度サインインする必要があります。",
        button: "パスワードを変更",
        done_title: "パスワードを変更しました",
        done: "パスワードを変更しました。このデバイス以外ではサインアウトされています。",
    },
    strength: Strength {
        label: "新しいパスワードの強度",
        levels: [
            "非常に推測されやすい",
            "推測されやすい",
            "推測される可能性あり",
            "推測されにくい",
            "非常に推測されにくい",
        ],
        why,
        advice: "関係のない単語を1つか2つ加えてください。大文字、数字、記号をよくある位置に入れても、あまり効果はありません。",
    },
    register: Register {
        title: "アカウントの作成",
        display_name: "お名前（任意）",
        email: "メールアドレス（任意）",
        button: "アカウントを作成",
        login: "アカウントをお持ちの方",
    },
    links: Links {
        setup: (
            "最初の管理者の設定",
            "まだ誰もサインインできません。最初の管理者のユーザー名とパスワードを決めてください。",
        ),
        invitation: ("ようこそ", "招待されています。パスワードを設定してください。"),
        new_password: ("新しいパスワードの設定", "2要素認証の設定は変わりません。"),
        new_second_factor: (
            "新しい認証アプリの設定",
            "パスワードでご本人であることを確認してください。その後、設定に進みます。",
        ),
    },
    enrol: Enrol {
        title: "認証アプリの設定",
        text: "今後は、パスワードと認証アプリのコードでサインインします。この画像をアプリで\
               読み取り、表示されたコードを入力してください。",
        picture: "認証アプリ用のQRコード",
        this_device: "このデバイスにアプリがある場合は、",
        open: "認証アプリで開く",
        key: "または、次のキーをアプリに入力してください。",
        link_needed: (
            "リンクが必要です",
            "管理者が2要素認証の設定を解除しました。新しく設定するには専用のリンクが必要です。\
             管理者に問い合わせて、リンクを開いてください。",
        ),
    },
    authenticator: Authenticator {
        title: "認証アプリ",
        text: "認証アプリは設定済みです。別の認証アプリに切り替えることができます。\
               新しいアプリの最初のコードを確認するまでは、今のアプリを使えます。",
        any_code: "アプリのコードまたはリカバリーコード",
        replace: "新しく設定する",
        remove_title: "2要素認証を解除する",
        remove_text: "解除すると、パスワードだけでサインインできるようになります。\
                      リカバリーコードも削除されます。",
        remove: "解除する",
        not_now: "後で設定する",
        back: "アカウントに戻る",
    },
    recovery: Recovery {
        title: "リカバリーコード",
        shown_title: "リカバリーコードの保管",
        new_title: "新しいリカバリーコード",
        shown: "認証アプリを使えなくなったときは、代わりにこれらのコードでサインインできます。\
                それぞれ1回だけ使えます。ご自身だけが分かる場所に保管してください。\
                もう一度表示することはできません。",
        copy: "コピー",
        copied: "コピーしました。",
        not_copied: "ブラウザーがコピーできませんでした。選択して手動でコピーしてください。",
        save: "ファイルに保存",
        file: "リカバリーコード",
        print: "印刷",
        kept: "保管しました",
        renew: "リカバリーコードを作り直す",
        renew_text: "今のコードは使えなくなります。",
        renew_button: "新しいコードを作成",
        none: "認証アプリを設定していないため、リカバリーコードはありません。",
        last_used: "最後のリカバリーコードを使いました。今すぐ新しいコードを作成してください。\
                    コードがないと、認証アプリを使えなくなったときにサインインできません。",
        few: |left| {
            format!("リカバリーコードは残り{left}個です。早めに新しいコードを作成してください。")
        },
        many: |left| {
            format!(
                "リカバリーコードは残り{left}個です。一度表示したコードを、\
                 もう一度表示することはできません。"
            )
        },
    },
    account: Account {
        groups: "グループ",
        no_groups: "なし",
        since: "サインイン日時",
        ends: "有効期限",
        how: "サインインの方法",
        change_password: "パスワードを変更",
        enrolled: ["認証アプリの設定日時：", "。"],
        replace: "変更または解除",
        no_authenticator: "認証アプリは設定されていません。",
        enrol: "設定する",
        places: "サインイン中のデバイス",
        unknown_device: "不明なデバイス",
        device: |browser, system| format!("{system}の{browser}"),
        place: ["接続元：", "、サインイン：", "、最終利用：", "。"],
        this_device: "このデバイスです。",
        end_there: "このセッションを終了",
        end_everywhere: "すべてのデバイスからサインアウト",
        programs: "代理で動作するプログラム",
        programs_text: "管理者が作成したアクセストークンです。",
        program_since: ["作成日時：", "。"],
        revoke: |name| format!("{name} を取り消す"),
        sign_out: "サインアウト",
    },
    logout: Logout {
        title: "サインアウトしますか？",
        signed_in_as: ["現在 ", " としてサインインしています。"],
        button: "サインアウト",
        done_title: "サインアウトしました",
        done: "このサインインを使っていたすべての場所でサインアウトしました。",
        sign_in: "もう一度サインイン",
    },
    demo: Demo {
        title: "デモアプリ",
        user: ["ゲートウェイから通知されたユーザーは ", " です。"],
        nobody: "ゲートウェイからユーザーは通知されていません。",
        received: "このページの場所に、ご自身のアプリが入ります。受信した内容：",
        protect: "ご自身のアプリを保護するには：",
    },
    paging: Paging {
        label: "ページ",
        first: "最初のページ",
        previous: "前のページ",
        next: "次のページ",
        last: "最後のページ",
        page_of: |page, pages| format!("{page} / {pages} ページ"),
    },
    refusals: Refusals {
        forbidden: (
            "アクセスできません",
            "このページへのアクセスは許可されていません。管理者に問い合わせてください。",
        ),
        not_found: ("ページが見つかりません", "このアドレスにページはありません。"),
        method_not_allowed: ("この操作はできません", "このページでは、その操作はできません。"),
        timeout: ("時間切れです", "時間内にリクエストが届きませんでした。もう一度お試しください。"),
        too_large: ("サイズが大きすぎます", "送信された内容が上限を超えています。"),
        uri_too_long: ("アドレスが長すぎます", "アドレスの長さが上限を超えています。"),
        unsupported_media_type: (
            "フォームではありません",
            "このページは、専用のフォームからの送信だけを受け付けます。",
        ),
        headers_too_large: (
            "データが多すぎます",
            "ブラウザーから送られたデータが上限を超えています。",
        ),
        bad_gateway: (
            "アプリに接続できません",
            "アプリに接続できませんでした。しばらくしてからもう一度お試しください。",
        ),
        unavailable: (
            "一時的に利用できません",
            "現在ご本人の確認ができないため、アクセスを止めています。データは失われていません。\
             しばらくしてからもう一度お試しください。",
        ),
        maintenance: (
            "メンテナンス中",
            "このアプリは現在メンテナンス中です。データは失われていません。時間をおいてもう一度お試しください。",
        ),
        gateway_timeout: (
            "応答がありません",
            "アプリの応答に時間がかかりすぎています。しばらくしてからもう一度お試しください。",
        ),
        bad_request: ("処理できません", "送信された内容を正しく読み取れませんでした。"),
        internal: (
            "問題が発生しました",
            "お使いの環境の問題ではありません。しばらくしてからもう一度お試しください。",
        ),
        from_elsewhere: (
            "受け付けできません",
            "別のサイトがこのフォームを送信しました。何も実行していません。",
        ),
    },
    answers: ANSWERS,
};

const fn why(guess: Guess) -> &'static str {
    match guess {
        Guess::Common => "多くの人が使っているパスワードと同じか、よく似ています。",
        Guess::Word => "辞書にある1つの単語です。",
        Guess::Name => "人の名前からできています。",
        Guess::Yours => "ご自身について知られている情報からできています。",
        Guess::Keys => "キーボード上で隣り合う文字が並んでいます。",
        Guess::Repeats => "同じものの繰り返しです。",
        Guess::Sequence => "abc や 6543 のような連続した文字です。",
        Guess::Date => "日付や年からできています。",
        Guess::Short => "短すぎるか、規則的すぎます。",
    }
}

const ANSWERS: Answers = Answers {
    credentials: "ユーザー名またはパスワードが正しくありません。",
    not_current_password: "現在のパスワードが正しくありません。",
    code: "コードが正しくありません。認証アプリの場合は、今表示されているコードを入力してください。",
    clock_off: |seconds| {
        let minutes = seconds.div_ceil(60);
        format!(
            "コードが正しくありません。別の時刻のコードです。スマートフォンの時計が約{minutes}分\
             ずれているようです。時刻を自動設定にしてから、表示されているコードを入力してください。"
        )
    },
    code_used: "このコードは使用済みです。次のコードが表示されるまでお待ちください。",
    code_missing: "認証アプリに表示されているコードを入力してください。",
    locked: |seconds, until| {
        format!("失敗した回数が多すぎます。{}（{until}）にもう一度お試しください。", wait(seconds))
    },
    rate_limited: |seconds| {
        format!("短時間に試した回数が多すぎます。{}にもう一度お試しください。", wait(seconds))
    },
    expired: "サインインに時間がかかりすぎたか、別の場所で完了しています。\
              最初からやり直してください。",
    session_revoked: "このセッションは終了しました。もう一度サインインしてください。",
    wrong_step: "先に別の手順が必要です。",
    already_enabled: "2要素認証はすでに設定されています。",
    link_gone: "このリンクは使用済みか、新しいリンクに置き換えられたか、有効期限が切れています。\
                管理者に新しいリンクを依頼してください。",
    link_needed: "設定するには、管理者が発行したリンクが必要です。",
    mfa_enforced: "このアカウントには2要素認証が必要なため、解除できません。",
    registration_disabled: "ここではご自身で登録できません。管理者に問い合わせてください。",
    no_such_session: "このセッションは、ご自身のセッションの中にありません。",
    weak: |weakness| match weakness {
        PasswordWeakness::TooShort(least) => {
            format!("パスワードは{least}文字以上にしてください。")
        }
        PasswordWeakness::MissingClass => {
            "パスワードには、大文字、小文字、数字、記号をすべて含めてください。".into()
        }
        PasswordWeakness::Unchanged => "現在とは異なるパスワードを設定してください。".into(),
        PasswordWeakness::Obvious => {
            "ユーザー名やこのサイトの名前だけではないパスワードを設定してください。".into()
        }
    },
    password_unusable: "パスワードが空か、長すぎます。別のパスワードを設定してください。",
    mismatch: "2つのパスワードが一致しません。両方とも入力し直してください。",
    breached: "このパスワードは、攻撃者が最初に試す流出済みパスワードのリストに含まれています。\
               別のパスワードを設定してください。",
    breach_unknown: "このパスワードが流出していないか、現在確認できません。\
                     少し待ってからもう一度お試しください。",
    name: |error| name(error).into(),
    name_taken: "この名前はすでに使われています。別の名前を入力してください。",
    busy: "現在、サインインする人が集中しています。もう一度お試しください。",
    unavailable: "現在実行できません。少し待ってからもう一度お試しください。",
    unsent: "先にご本人の確認が必要なため、送信した内容は届いていません。\
             確認が済むと元のページに戻りますので、もう一度送信してください。",
    stale_form: "何も送信されていません。ページを開いてから時間がたちすぎたか、\
                 ブラウザーがこのサイトのCookieを保存していません。もう一度お試しください。",
    needs_code: "認証アプリのコードが必要です。",
    needs_password: "先にブラウザーでサインインして、新しいパスワードを設定してください。",
    needs_enrolment: "先にブラウザーでサインインして、2要素認証を設定してください。",
};

const fn name(error: NameError) -> &'static str {
    match error {
        NameError::UsernameLength => "ユーザー名は1～64文字にしてください。",
        NameError::UsernameCharacters => {
            "ユーザー名は半角の英字または数字で始め、半角の英数字と . _ @ + - だけを\
             使ってください。"
        }
        NameError::UsernameIsAddress => "ユーザー名に @ は使えません。",
        NameError::Email => "メールアドレスは hanako@example.com のように入力してください。",
        NameError::DisplayName => "お名前は1～128文字で、制御文字を含めずに入力してください。",
        NameError::Group => "グループ名は1～64文字で、カンマや制御文字を含めないでください。",
        NameError::Login => "ユーザー名またはメールアドレスは1～254文字で入力してください。",
    }
}

/// From now on.
fn wait(seconds: u64) -> String {
    match Wait::of(seconds) {
        Wait::Seconds(seconds) => format!("{seconds}秒後"),
        Wait::Minutes(minutes) => format!("{minutes}分後"),
    }
}

# frozen_string_literal: true

class Status < ApplicationRecord
  belongs_to :account
  validates :text, presence: true

  def as_json(*)
    url = "https://mastodon.test/@#{account.username}/#{id}"
    { id: id.to_s, created_at: created_at.utc.iso8601(3), in_reply_to_id: nil, in_reply_to_account_id: nil, sensitive: false, spoiler_text: '',
      visibility: 'public', language: 'en', uri: url, url: url, replies_count: 0, reblogs_count: 0, favourites_count: 0, edited_at: nil,
      content: "<p>#{ERB::Util.h(text)}</p>", reblog: nil, account: account.as_json, media_attachments: [], mentions: [], tags: [], emojis: [],
      card: nil, poll: nil, favourited: false, reblogged: false, muted: false, bookmarked: false, filtered: [], application: { name: 'Web', website: nil } }
  end
end

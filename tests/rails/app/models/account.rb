# frozen_string_literal: true

# The public side of a person: the name, unique whatever its case.
class Account < ApplicationRecord
  RESERVED = %w[admin support help root webmaster administrator mod moderator].freeze

  has_one :user, inverse_of: :account
  has_many :statuses

  validates :username, presence: true, uniqueness: { case_sensitive: false },
                       length: { maximum: 30 }, format: { with: /\A[a-z0-9_]+\z/i }
  validates :username, exclusion: { in: RESERVED, message: :reserved }

  def as_json(*)
    url = "https://mastodon.test/@#{username}"
    picture = 'https://mastodon.test/avatars/original/missing.png'
    { id: id.to_s, username: username, acct: username, display_name: display_name.to_s, locked: false, bot: false, discoverable: nil,
      group: false, created_at: created_at.utc.beginning_of_day.iso8601(3), note: '', url: url, avatar: picture, avatar_static: picture,
      header: picture, header_static: picture, followers_count: 0, following_count: 0, statuses_count: statuses.count,
      last_status_at: nil, emojis: [], fields: [] }
  end
end

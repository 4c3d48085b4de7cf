# frozen_string_literal: true

module Admin
  # Row 22 again: the same invites, from a moderator's page.
  class InvitesController < ::InvitesController
  end
end
